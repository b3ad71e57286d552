/** A gigabyte in Chromium. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { start } from "./chromium.mjs";
import { MOST_MEMORY, told } from "./large.mjs";
import { done, fixture } from "./native.mjs";

const { inPage, close } = await start();
test.after(close);

test("a gigabyte", () =>
  inPage(async (page) => {
    const file = fixture("big.tar");
    await page.locator("#file").setInputFiles(file);
    const found = await page.evaluate(() => window.page.large("file", {}, "top"));
    console.log(`Chromium: ${told(found)}`);
    assert.deepEqual(found.faults, []);
    assert.deepEqual([found.listed, found.verified], [Array(3).fill("listed"), Array(3).fill("verified")]);
    assert.deepEqual(found.waste, JSON.parse(done(["waste", "--json", `${file}#top`])));
    assert.ok(found.memory < MOST_MEMORY, `${found.memory} bytes`);
  }));
