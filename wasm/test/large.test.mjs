/** A gigabyte in Node. */

import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import { test } from "node:test";

import { large, MOST_MEMORY, told } from "./large.mjs";
import { done, fixture, open } from "./native.mjs";

const file = fixture("big.tar");
const waste = JSON.parse(done(["waste", "--json", `${file}#top`]));

for (const [way, source] of [
  ["path", () => file],
  ["blob", () => openAsBlob(file)],
]) {
  test(`a gigabyte: ${way}`, async () => {
    const found = await large(open, await source(), "top");
    console.log(`${way}: ${told(found)}`);
    assert.deepEqual(found.faults, []);
    assert.deepEqual([found.listed, found.verified], [Array(3).fill("listed"), Array(3).fill("verified")]);
    assert.deepEqual(found.waste, waste);
    assert.equal(found.rows, 8);
    assert.ok(found.memory < MOST_MEMORY, `${found.memory} bytes`);
  });
}
