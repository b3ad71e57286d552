/** Large images stay quick. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { chooser, useSite, verified } from "./support/browser.mjs";
import { fixture, scratch, testWith } from "./support/fixtures.mjs";
import { archive, layout, tar } from "./support/oci.mjs";

const site = useSite();
const FILES = 100_000;
const file = join(scratch(), "many.tar");

before(() => {
  const names = Array.from({ length: FILES }, (_, at) => [`srv/file-${String(at).padStart(6, "0")}`]);
  writeFileSync(file, archive(layout("big", [{ tar: tar([["srv/"], ...names]) }])));
});

test("a directory of 100,000 files scrolls with few elements", async () => {
  await site.page(async (page) => {
    await verified(page);
    // Nothing is called verified before it can be seen.
    await page.evaluate(() => {
      globalThis.early = 0;
      const look = () => {
        const isLarge = document.querySelector(".store")?.textContent.includes("many.tar");
        const isVerified = /verified/.test(document.querySelector(".verification")?.textContent ?? "");
        if (isLarge && isVerified && !document.querySelector('.tree [data-index="1"]')) globalThis.early += 1;
      };
      new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
    });
    await chooser(page, "file").setInputFiles(file);
    await page.locator('.tree [data-index="1"]').waitFor({ timeout: 60_000 });
    await verified(page);
    assert.equal(await page.evaluate(() => globalThis.early), 0);
    await page.locator('.tree [data-index="1"]').click();
    const tree = page.getByRole("treegrid");
    await page.waitForFunction(
      (rows) => Number(document.querySelector(".tree").getAttribute("aria-rowcount")) > rows,
      FILES,
      { timeout: 30_000 },
    );
    // From top to bottom in a hundred steps, one a frame.
    const frames = await tree.evaluate(async (box) => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const times = [];
      let most = 0;
      for (let step = 1; step <= 100; step += 1) {
        const start = performance.now();
        box.scrollTop = ((box.scrollHeight - box.clientHeight) * step) / 100;
        await frame();
        await frame();
        times.push(performance.now() - start);
        most = Math.max(most, document.querySelectorAll("*").length);
      }
      return { slowest: times.sort((a, b) => b - a)[5], most };
    });
    assert.ok(frames.most < 2000, `${frames.most} elements`);
    assert.ok(frames.slowest < 250, `${frames.slowest} ms for two frames`);
    await page.locator(".tree .text", { hasText: "file-099999" }).waitFor();
    await tree.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("End");
    await page.locator(".tree .active .text", { hasText: "file-099999" }).waitFor();
    await page.getByRole("searchbox", { name: "Search names" }).fill("file-0123");
    await page.waitForFunction(() => document.querySelector(".tree").getAttribute("aria-rowcount") === "103");
  });
});

const big = fixture("big.tar");
testWith(big.missing, "an image of a gigabyte is listed, then verified", async () => {
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(big.path);
    await page.locator(".store").getByText("big.tar").waitFor();
    await page.locator('.tree [data-index="1"]').waitFor({ timeout: 120_000 });
    await page
      .locator(".verification")
      .getByText(/layers? verified/)
      .waitFor({ timeout: 300_000 });
  });
});
