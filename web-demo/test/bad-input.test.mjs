/** Errors are shown where they happen, and the rest of the page keeps working. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { chooser, row, useSite, verified } from "./support/browser.mjs";
import { scratch } from "./support/fixtures.mjs";
import { archive, layout, tar, writeLayout } from "./support/oci.mjs";

const site = useSite();
const work = scratch();

const BASE = tar([["etc/"], ["etc/base.txt", "the base\n"]]);
const UPPER = tar([
  ["srv/"],
  ["srv/upper.txt", "the upper\n"],
  ["srv/noise", Buffer.from(Array.from({ length: 40_000 }, (_, at) => (at * at * 31) & 255))],
]);

/** Offers a file while the sample is open; the sample stays. */
async function isRefused(name, content, message) {
  const file = join(work, name);
  writeFileSync(file, content);
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(file);
    const problem = page.locator(".band .problem");
    await problem.waitFor();
    assert.match(await problem.innerText(), message);
    assert.match(await problem.innerText(), /sample\.tar is still open/);
    await row(page, "etc").click();
    await row(page, "passwd").click();
    await page.getByRole("region", { name: "Text of /etc/passwd" }).waitFor();
    await problem.getByRole("button", { name: "Dismiss" }).click();
    assert.equal(await problem.count(), 0);
  });
}

test("a file that is not an archive", () =>
  isRefused("notes.txt", "These are only notes.\n".repeat(100), /notes\.txt: not a container image/));

test("an empty file", () => isRefused("empty.tar", "", /empty\.tar: /));

test("an archive of something else", () =>
  isRefused("other.tar", tar([["hello.txt", "hello"]]), /other\.tar: /));

test("an index that is not JSON", () => {
  const files = layout("bad", [{ tar: BASE }]);
  files.set("index.json", Buffer.from("{ not json"));
  return isRefused("index.tar", archive(files), /index\.tar: not a container image, or damaged/);
});

/** Opens an image whose second layer is bad: the first is shown, the second says why not. */
async function secondFails(upper, message, source = "file") {
  const files = layout("bad", [{ tar: BASE }, { tar: UPPER, ...upper }]);
  const path = join(work, source === "file" ? "second.tar" : "second");
  if (source === "file") writeFileSync(path, archive(files));
  else writeLayout(files, path);
  await opensWithout(path, message, source);
}

async function opensWithout(path, message, source = "file") {
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, source).setInputFiles(path);
    const failed = page.locator(".verification").getByText("1 of 2 layers failed");
    await failed.waitFor();
    const leftOut = page.getByRole("group", { name: "Layers that are not included" });
    assert.match(await leftOut.innerText(), /^Layer 2 is not included \((damaged|not supported)\): ./);
    await row(page, "etc").click();
    await row(page, "base.txt").click();
    await page.getByRole("region", { name: "Text of /etc/base.txt" }).getByText("the base").waitFor();
    assert.equal(await row(page, "srv").count(), 0, "what a bad layer says is not shown");
    await failed.click();
    const second = page.locator(".layers .card").nth(1);
    await second.locator(".error").waitFor();
    assert.match(await second.innerText(), /failed/);
    assert.match(await second.locator(".error").innerText(), message);
    assert.match(await page.locator(".layers .card").first().innerText(), /verified/);
    await page.getByRole("link", { name: "Space", exact: true }).click();
    await leftOut.waitFor();
    await page.getByRole("link", { name: "Waste", exact: true }).click();
    await page.getByText("The waste cannot be counted").waitFor();
    await page.getByRole("link", { name: "Config", exact: true }).click();
    await page.getByText("linux/amd64").first().waitFor();
  });
}

test("a layer with a broken middle", () =>
  secondFails(
    { blob: (gzip) => Buffer.concat([gzip.subarray(0, 200), Buffer.alloc(64, 0xff), gzip.subarray(264)]) },
    /damaged/i,
  ));

test("a layer that ends too early, in a directory", () =>
  secondFails({ blob: (gzip) => gzip.subarray(0, gzip.length >> 1) }, /size|end|bytes/i, "directory"));

test("a layer with another digest than promised", () => {
  // The time in the header of gzip changes the digest, and nothing of the content.
  const blob = (gzip) => Buffer.concat([gzip.subarray(0, 4), Buffer.from([1, 2, 3, 4]), gzip.subarray(8)]);
  return secondFails({ blob }, /sha256:/);
});

test("a layer with an unsupported compression", () =>
  secondFails({ mediaType: "application/vnd.oci.image.layer.v1.tar+xz" }, /not supported/i));

test("a foreign layer that is not in the file", async () => {
  const mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
  const urls = ["https://example.org/base.tar.gz"];
  const files = layout("bad", [{ tar: BASE }, { tar: UPPER, mediaType, urls, blob: () => undefined }]);
  const path = join(work, "foreign.tar");
  writeFileSync(path, archive(files));
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(path);
    const leftOut = page.getByRole("group", { name: "Layers that are not included" });
    await leftOut.waitFor();
    assert.match(await leftOut.innerText(), /^Layer 2 is not included \(foreign\): .*https:\/\/example\.org/);
    await row(page, "etc").waitFor();
    await leftOut.getByRole("link", { name: "Layer 2" }).click();
    assert.match(await page.locator(".layers .card").nth(1).locator(".error").innerText(), /^Foreign\. /);
  });
});

test("an archive that was cut off", async () => {
  // The blobs of the layers come first, so the end of the second is lost if the documents are put before it.
  const files = layout("bad", [{ tar: BASE }, { tar: UPPER }]);
  const documents = [...files].filter(([name]) => !name.startsWith("blobs/"));
  const blobs = [...files]
    .filter(([name]) => name.startsWith("blobs/"))
    .sort((a, b) => a[1].length - b[1].length);
  const whole = archive([...documents, ...blobs]);
  const path = join(work, "cut.tar");
  writeFileSync(path, whole.subarray(0, whole.length - 1024 - 8192));
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(path);
    const refused = page.locator(".band .problem");
    const failed = page.locator(".verification").getByText("1 of 2 layers failed");
    await refused.or(failed).first().waitFor();
    if (await refused.count()) assert.match(await refused.innerText(), /cut\.tar: /);
    await page.getByRole("treegrid").waitFor();
    assert.ok((await page.getByRole("treegrid").getByRole("row").count()) > 1);
  });
});
