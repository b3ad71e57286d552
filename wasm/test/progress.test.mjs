/** Progress reports grow, and end at their total. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { blobPath, filesOf } from "./made.mjs";
import { done, fixture, open } from "./native.mjs";

async function followed(run) {
  const steps = [];
  const value = await run({ onProgress: (step) => steps.push(step) });
  for (const [at, { done, total }] of steps.entries()) {
    assert.ok(at === 0 || done >= steps[at - 1].done, `${done} after ${steps[at - 1]?.done}`);
    assert.equal(total, steps[0].total);
  }
  assert.ok(steps.length > 0, "nothing was reported");
  return { value, ...steps.at(-1) };
}

test("scan, and verify after it", async () => {
  const store = await open(fixture("many"));
  const image = await store.image("top");
  const sizes = image.layers.map(({ size }) => size);
  const all = sizes.reduce((sum, size) => sum + size, 0);
  let last = await followed((options) => image.scan(options));
  assert.deepEqual([last.done, last.total], [all, all]);
  // One layer is small, so it was verified at once.
  assert.deepEqual(
    image.layers.map(({ state }) => state),
    ["listed", "listed", "verified"],
  );
  last = await followed((options) => image.verify(options));
  assert.deepEqual([last.done, last.total], [all, all]);
  store.close();
});

test("verify alone reads large layers twice", async () => {
  for (const [name, fragment] of [
    ["many", "top"],
    ["odd", "gnu"],
  ]) {
    const store = await open(fixture(name));
    const image = await store.image(fragment);
    const { done, total } = await followed((options) => image.verify(options));
    assert.equal(done, total);
    assert.equal(total, 2 * image.layers.reduce((sum, { size }) => sum + size, 0));
    store.close();
  }
});

test("a layer that fails counts as read", async () => {
  const files = filesOf(fixture("odd"));
  const [{ digest }] = JSON.parse(done(["stat", "--json", `${fixture("odd")}#odd`])).manifest.layers;
  files.delete(blobPath(digest));
  const store = await open(files);
  const image = await store.image("odd");
  const { done: read, total } = await followed((options) => image.scan(options));
  assert.equal(read, total);
  assert.equal(image.layers[0].state, "failed");
  store.close();
});

test("check and archive", async () => {
  for (const name of ["odd.oci.tar", "debian.docker.tar"]) {
    const store = await open(fixture(name));
    for (const what of ["check", "archive"]) {
      const { done, total } = await followed((options) => store[what](options));
      assert.deepEqual([done, total], [readFileSync(fixture(name)).length, total]);
      assert.equal(done, total);
    }
    store.close();
  }
  // The size of a layout on the disk is unknown.
  const store = await open(fixture("debian"));
  const { done, total } = await followed((options) => store.check(options));
  assert.equal(total, 0);
  assert.ok(done > 50_000_000, `${done}`);
  store.close();
});
