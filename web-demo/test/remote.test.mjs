/** Images on servers, which only the page `remote.html` opens. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { chooser, IMAGE, row, useSite, verified } from "./support/browser.mjs";
import { inShell, noCommand, ocicle, sampleArchive, scratch, testWith } from "./support/fixtures.mjs";

const site = useSite();
const { OCICLE_REGISTRY: registry, OCICLE_REGISTRY_CLOSED: closed } = process.env;
const { OCICLE_FILES: files, OCICLE_FILES_DIR: directory } = process.env;
const variables = { OCICLE_REGISTRY: registry, OCICLE_REGISTRY_CLOSED: closed, OCICLE_FILES: files };
const unset = Object.keys(variables).find((name) => variables[name] === undefined);
const missing = noCommand ?? (unset && `${unset} is not set; the test \`browser\` sets it`);

const tagged = `docker://${registry}/sample:v1`;
const layout = `${files}layout/`;
const work = scratch();
let archive;

before(() => {
  if (noCommand) return;
  archive = sampleArchive(work);
  if (missing) return;
  for (const tag of ["v1", "v2"])
    for (const host of [registry, closed])
      ocicle("copy", `${archive}#${tag}`, `docker://${host}/sample:${tag}`);
  ocicle("copy", archive, `oci:${join(directory, "layout")}`);
  ocicle("copy", archive, `oci-archive:${join(directory, "sample.tar")}`);
});

const hash = (fields) => `#${new URLSearchParams(fields)}`;

/** Runs `use` with the page that connects. */
const connected = (use, { fields, ...options } = {}) =>
  site.page(use, { hash: `remote.html${fields ? hash(fields) : ""}`, ...options });

async function enter(page, address) {
  await page.getByLabel("Address").first().fill(address);
  await page.getByRole("button", { name: "Open address" }).first().click();
}

/** Waits for the sample, opened at an address, and runs the command line of the page. */
async function isOpen(page, address, kind) {
  await page.locator(".store").getByText(address, { exact: true }).waitFor();
  assert.equal(await page.locator(".store .faint").innerText(), kind);
  await verified(page);
  await row(page, "app").waitFor();
  assert.equal(await page.locator(".notice.problem").count(), 0);
  const line = await page.locator(".command code").innerText();
  const { status, stdout, stderr } = inShell(line, "/");
  assert.equal(status, 0, `${line}: ${stderr}`);
  const local = inShell(`ocicle files ${archive}#${IMAGE}`, "/");
  assert.equal(stdout, local.stdout, line);
}

/** Records the hosts that requests go to, except for this page's. */
function hosts(page) {
  const all = new Set();
  page.on("request", (request) => {
    const { host, protocol } = new URL(request.url());
    if (/^https?:$/.test(protocol) && host !== new URL(site.server.url).host) all.add(host);
  });
  return all;
}

testWith(missing, "a tag of a registry, and no other host is asked", async () => {
  await connected(async (page) => {
    await verified(page);
    const asked = hosts(page);
    await enter(page, tagged);
    await isOpen(page, tagged, "registry");
    await row(page, "etc").click();
    await row(page, "passwd").click();
    await page.getByRole("region", { name: "Text of /etc/passwd" }).getByText("root:x:0:0").waitFor();
    assert.deepEqual([...asked], [registry]);
    assert.equal(
      await page.locator(".command code").innerText(),
      `ocicle cat ${tagged}//platform=linux/amd64 /etc/passwd`,
    );
  });
});

testWith(missing, "a repository, a digest, a layout and an archive", async () => {
  const { digest } = JSON.parse(ocicle("resolve", "--json", tagged));
  await connected(async (page) => {
    await verified(page);
    for (const [address, kind] of [
      [`docker://${registry}/sample`, "registry"],
      [`docker://${registry}/sample@${digest}`, "registry"],
      [layout, "oci"],
      [`${files}sample.tar`, "oci-archive"],
    ]) {
      await enter(page, address);
      await isOpen(page, address, kind);
    }
  });
});

testWith(missing, "a link opens an address, and back leads to the one before", async () => {
  const fields = { store: tagged, image: IMAGE, path: "/etc/passwd", view: "files" };
  await connected(
    async (page) => {
      await page.getByRole("region", { name: "Text of /etc/passwd" }).getByText("root:x:0:0").waitFor();
      await enter(page, layout);
      await page.locator(".store").getByText(layout, { exact: true }).waitFor();
      await page.goBack();
      await page.locator(".store").getByText(tagged, { exact: true }).waitFor();
      await page.reload();
      await page.getByRole("region", { name: "Text of /etc/passwd" }).getByText("root:x:0:0").waitFor();
    },
    { fields },
  );
});

testWith(missing, "two images on different servers are compared", async () => {
  const fields = { store: tagged, image: IMAGE, view: "diff" };
  await connected(
    async (page) => {
      await page.getByText("Another address").waitFor();
      const view = page.locator(".view");
      await view.getByLabel("Address").fill(layout);
      await view.getByRole("button", { name: "Another address" }).click();
      await view.getByText("Nothing differs.").waitFor();
      assert.match(await page.evaluate(() => location.hash), /beside=http/);
    },
    { fields },
  );
});

testWith(missing, "with the service worker, servers are asked as without it", async () => {
  await connected(
    async (page) => {
      await verified(page);
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      await enter(page, tagged);
      await isOpen(page, tagged, "registry");
    },
    { worker: "allow" },
  );
});

testWith(missing, "the reasons why an address is not opened", async () => {
  await connected(async (page) => {
    await verified(page);
    const fails = async (address, ...texts) => {
      await enter(page, address);
      const problem = page.locator(".band .problem");
      await problem.getByText(address).first().waitFor();
      for (const text of texts) await problem.getByText(text).waitFor();
      assert.equal(await page.getByText("This link refers to").count(), 0);
    };
    await fails(`docker://${closed}/sample:v1`, /cannot be reached, or .* \(CORS\)/);
    await fails(`docker://${registry}/sample:none`, /sample:none not found/);
    await fails("debian:12", /expected docker:\/\/HOST\/REPOSITORY:TAG/);
    await fails("http://192.0.2.1/layout/", /https:\/\/.*http:\/\/ only on this machine/);
    await page.locator(".store").getByText("sample.tar").waitFor();
  });
});

testWith(noCommand, "files are not sent anywhere", async () => {
  await connected(async (page) => {
    await verified(page);
    await page.waitForLoadState("networkidle");
    const asked = hosts(page);
    const served = site.server.requests.length;
    await chooser(page, "file").first().setInputFiles(archive);
    await page.locator(".store").getByText("own-sample.tar").waitFor();
    await verified(page);
    await row(page, "etc").click();
    assert.deepEqual([...asked], []);
    // New workers load their script.
    const others = site.server.requests.slice(served).filter((path) => !/\/worker-[\w-]+\.js$/.test(path));
    assert.deepEqual(others, []);
  });
});

test("only encrypted connections leave this machine", async () => {
  await connected(async (page) => {
    await verified(page);
    const refused = await page.evaluate(async () => {
      const violated = new Promise((resolve) =>
        addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective)),
      );
      await fetch("http://192.0.2.1/").catch(() => {});
      return violated;
    });
    assert.equal(refused, "connect-src");
  });
});

testWith(missing, "the page without connections leads to the other one", async () => {
  await site.page(
    async (page) => {
      const asked = hosts(page);
      const note = page.getByRole("region", { name: "Link to another file" });
      await note.getByText("This page opens no connections").waitFor();
      assert.equal(await page.getByLabel("Address").count(), 0);
      assert.deepEqual([...asked], []);
      await note.getByRole("link").click();
      await page.waitForURL(/remote\.html#/);
      await page.locator(".store").getByText(layout, { exact: true }).waitFor();
      await page.getByRole("region", { name: "Text of /etc/passwd" }).getByText("root:x:0:0").waitFor();
    },
    { hash: hash({ store: layout, image: IMAGE, path: "/etc/passwd", view: "files" }) },
  );
});

for (const [look, viewport] of Object.entries({
  desk: { width: 1280, height: 860 },
  phone: { width: 360, height: 740 },
})) {
  test(`it is accessible, ${look}`, async () => {
    await connected(
      async (page) => {
        await verified(page);
        if (process.env.SCREENSHOTS)
          await page.screenshot({ path: join(process.env.SCREENSHOTS, `remote-${look}.png`) });
        const over = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.equal(over, 0, "the page scrolls sideways");
        const { violations } = await new AxeBuilder({ page }).analyze();
        assert.deepEqual(
          violations.map(({ id }) => id),
          [],
        );
      },
      { viewport },
    );
  });
}
