/** Nothing leaves the page, and the page works offline once it is loaded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { at, row, useSite, verified } from "./support/browser.mjs";

const site = useSite();
const VIEWS = ["Layers", "Space", "Waste", "Config", "Diff", "Export", "Files"];

/** Visits all views. */
async function tour(page) {
  for (const name of VIEWS) await page.getByRole("link", { name, exact: true }).click();
  await row(page, "etc").click();
  await row(page, "passwd").click();
  await page.getByRole("region", { name: "Text of /etc/passwd" }).waitFor();
}

/** Requests of the page, except for blobs and `data:` URLs. */
function outgoing(page) {
  const all = [];
  page.on("request", (request) => /^(blob|data):/.test(request.url()) || all.push(request.url()));
  return all;
}

test("once loaded, no requests are sent", async () => {
  await site.page(async (page) => {
    await verified(page);
    await page.waitForLoadState("networkidle");
    const [asked, served] = [outgoing(page), site.server.requests.length];
    assert.ok(served > 3, "the server counts");
    await tour(page);
    await page.waitForTimeout(500);
    assert.deepEqual(asked, []);
    assert.deepEqual(site.server.requests.slice(served), []);
  });
});

test("no requests are sent with the service worker either", async () => {
  await site.page(
    async (page) => {
      await verified(page);
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      await page.waitForLoadState("networkidle");
      const served = site.server.requests.length;
      await tour(page);
      await page.waitForTimeout(500);
      assert.deepEqual(site.server.requests.slice(served), []);
    },
    { worker: "allow" },
  );
});

const TRY = (url) =>
  fetch(url).then(
    () => "connected",
    (error) => error.name,
  );

test("the browser refuses connections of the page", async () => {
  await site.page(async (page) => {
    await verified(page);
    const served = site.server.requests.length;
    assert.equal(await page.evaluate(TRY, site.server.url), "TypeError");
    const socket = await page.evaluate(
      (url) => {
        try {
          return new Promise((resolve) => {
            const made = new WebSocket(url);
            made.onopen = () => resolve("connected");
            made.onerror = () => resolve("refused");
          });
        } catch (error) {
          return error.name;
        }
      },
      site.server.url.replace("http", "ws"),
    );
    assert.notEqual(socket, "connected");
    assert.equal(site.server.requests.length, served);
  });
});

test("the browser refuses connections of the workers", async () => {
  await site.page(async (page) => {
    await verified(page);
    const workers = page.workers();
    assert.ok(workers.length > 0, "there is a worker");
    const served = site.server.requests.length;
    for (const worker of workers) assert.equal(await worker.evaluate(TRY, site.server.url), "TypeError");
    assert.equal(site.server.requests.length, served);
  });
});

test("without a network, the page opens again", async () => {
  await site.page(
    async (page, context) => {
      await verified(page);
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      // The service worker has to claim the first visit.
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      await context.setOffline(true);
      await page.reload();
      await page.getByRole("region", { name: "Text of /etc/passwd" }).getByText("root:x:0:0").waitFor();
      await verified(page);
      await page.goto(`${site.server.url}index.html${at({ view: "waste" })}`);
      await page.locator(".lead").waitFor();
    },
    { worker: "allow", hash: at({ path: "/etc/passwd" }) },
  );
});
