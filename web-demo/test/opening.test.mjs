/** Opening: the sample, files, directories, drops. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { chooser, row, useSite, verified } from "./support/browser.mjs";
import { fixture, noCommand, ocicle, sampleArchive, scratch, testWith } from "./support/fixtures.mjs";
import { tar } from "./support/oci.mjs";

const site = useSite();
const work = scratch();
const files = {};

before(() => {
  if (noCommand) return;
  files.oci = sampleArchive(work);
  files.layout = join(work, "own-layout");
  files.docker = join(work, "own-docker.tar");
  ocicle("copy", files.oci, `oci:${files.layout}`);
  ocicle("copy", `${files.oci}#v1//platform=linux/amd64`, `docker-archive:${files.docker}#example/tide:1`);
});

/** Checks the page of any image made from the sample. */
async function isAlive(page, name, kind) {
  await page.locator(".store").getByText(name, { exact: true }).waitFor();
  assert.equal(await page.locator(".store .faint").innerText(), kind);
  await verified(page);
  await row(page, "app").waitFor();
  assert.equal(await page.locator(".notice.problem").count(), 0);
}

/** Drops real files, as a user does. */
async function drop(page, ...paths) {
  const client = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await client.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
    if (type === "dragOver") await page.getByText("Drop it anywhere").waitFor();
  }
}

test("the sample loads at once", async () => {
  await site.page(async (page) => {
    await isAlive(page, "sample.tar", "built-in sample");
    assert.deepEqual(await page.locator(".images > ul > li > a .text").allInnerTexts(), ["v1", "v2"]);
    assert.match(await page.locator("h1").innerText(), /^v1 \/ linux\/amd64/);
  });
});

testWith(noCommand, "an oci-archive is opened", async () => {
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(files.oci);
    await isAlive(page, "own-sample.tar", "oci-archive");
    assert.equal(await page.getByText("Drop a container image here").count(), 0);
  });
});

testWith(noCommand, "a docker-archive is opened", async () => {
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(files.docker);
    await isAlive(page, "own-docker.tar", "docker-archive");
    assert.match(await page.locator("h1").innerText(), /tide:1/);
  });
});

testWith(noCommand, "a layout directory is opened", async () => {
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "directory").setInputFiles(files.layout);
    await isAlive(page, "own-layout", "oci");
  });
});

testWith(noCommand, "an archive is dropped", async () => {
  await site.page(async (page) => {
    await verified(page);
    await drop(page, files.oci);
    await isAlive(page, "own-sample.tar", "oci-archive");
    assert.equal(await page.getByText("Drop it anywhere").count(), 0);
  });
});

testWith(noCommand, "a layout directory is dropped", async () => {
  await site.page(async (page) => {
    await verified(page);
    await drop(page, files.layout);
    await isAlive(page, "own-layout", "oci");
  });
});

test("a nested index leads to its images", async () => {
  await site.page(async (page) => {
    await verified(page);
    await page.locator(".images").getByRole("link", { name: /^v2/ }).click();
    await page.getByRole("heading", { name: "Holds" }).waitFor();
    await page.locator(".members").getByRole("link", { name: "index" }).click();
    await page.locator(".members").getByRole("link", { name: "linux/arm64" }).click();
    await verified(page);
    assert.match(await page.locator("h1").innerText(), /^v2 \/ index \/ linux\/arm64/);
    await page.locator(".images").getByRole("link", { name: /spdx/ }).click();
    await page
      .getByRole("region", { name: "Document" })
      .getByText(/application\/spdx\+json/)
      .first()
      .waitFor();
    assert.equal(await page.getByRole("navigation", { name: "Views" }).count(), 0);
  });
});

test("a store without images says so", async () => {
  const empty = join(work, "empty-store.tar");
  writeFileSync(
    empty,
    tar([
      ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
      ["index.json", '{"schemaVersion":2,"manifests":[]}'],
    ]),
  );
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(empty);
    await page.locator(".images").getByText("It is empty.").waitFor();
    assert.match(await page.getByRole("main").innerText(), /the store is empty/);
  });
});

test("the first key skips to the image", async () => {
  await site.page(async (page) => {
    await verified(page);
    const before = await page.evaluate(() => location.hash);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Skip to the image");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    assert.equal(await page.evaluate(() => location.hash), before);
  });
});

for (const [name, kind] of [
  ["skopeo-oci.tar", "oci-archive"],
  ["skopeo-docker.tar", "docker-archive"],
]) {
  const { path, missing } = fixture(name);
  testWith(missing, `${name}, as another tool made it, is opened`, async () => {
    await site.page(async (page) => {
      await verified(page);
      await chooser(page, "file").setInputFiles(path);
      await page.locator(".store").getByText(kind, { exact: true }).waitFor();
      await verified(page);
      assert.ok((await page.getByRole("treegrid").getByRole("row").count()) > 2);
    });
  });
}

const nested = fixture("nested");
testWith(nested.missing, "a nested layout, as another tool made it, is opened", async () => {
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "directory").setInputFiles(nested.path);
    await page.locator(".store").getByText("nested", { exact: true }).waitFor();
    await verified(page);
    assert.ok((await page.locator(".images ul ul a").count()) > 0);
  });
});
