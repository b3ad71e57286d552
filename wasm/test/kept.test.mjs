/** Nothing is kept beyond what is open: images, layers, sources, workers and memory are counted. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { getEventListeners } from "node:events";
import { test } from "node:test";

import { archiveOf, filesOf } from "./made.mjs";
import { fixture, open } from "./native.mjs";

const STORES = 30;

/** Opens an image, uses it and closes it. */
async function use(store, fragment) {
  const image = await store.image(fragment);
  await image.scan();
  assert.ok((await image.rows({ search: "e" }, 0, 10)).rows.length > 0);
  await image.close();
}

for (const [name, source, total] of [
  ["an archive", () => fixture("odd.oci.tar"), 1000],
  ["an archive in memory", () => readFileSync(fixture("odd.oci.tar")), 200],
  ["a layout", () => fixture("odd"), 200],
]) {
  test(`${total} images of ${name}`, async () => {
    const store = await open(source());
    await use(store, "pos=0");
    const kept = await store.kept();
    assert.deepEqual([kept.images, kept.layers], [0, 0]);
    for (let count = 1; count < 50; count += 1) await use(store, "pos=0");
    const memory = await store.memory();
    for (let count = 50; count < total; count += 1) await use(store, "pos=0");
    assert.deepEqual(await store.kept(), kept);
    assert.equal(await store.memory(), memory);
    store.close();
  });
}

test("images share their layers until the last one is closed", async () => {
  const store = await open(fixture("odd"));
  const [odd, another, gnu] = await Promise.all(
    ["odd", "odd", "gnu"].map((fragment) => store.image(fragment)),
  );
  await Promise.all([odd.files(), gnu.files()]);
  const { images, layers } = await store.kept();
  assert.equal(images, 3);
  assert.equal(
    layers,
    new Set([...odd.layers, ...gnu.layers].map(({ digest, diffId }) => `${digest} ${diffId}`)).size,
  );
  const listed = await odd.files();
  await odd.close();
  // What `odd` read is still there for the others.
  assert.deepEqual(
    another.layers.map(({ state }) => state),
    ["verified", "verified", "verified"],
  );
  assert.deepEqual(await another.files(), listed);
  await another.close();
  await gnu.close();
  assert.deepEqual([(await store.kept()).images, (await store.kept()).layers], [0, 0]);
  // The next image reads them again.
  const next = await store.image("odd");
  assert.ok(next.layers.every(({ state }) => state === "waiting"));
  assert.deepEqual(await next.files(), listed);
  store.close();
});

test("a borrowed image ends with the comparison", async () => {
  const [ours, theirs] = await Promise.all([open(fixture("odd")), open(fixture("odd.docker.tar"))]);
  const [before, after] = await Promise.all([ours.image("gnu"), theirs.image("pos=0")]);
  await ours.diff(before, after);
  const kept = [await ours.kept(), await theirs.kept()];
  for (let count = 0; count < 100; count += 1) await ours.diff(before, after);
  assert.deepEqual([await ours.kept(), await theirs.kept()], kept);
  ours.close();
  theirs.close();
});

test("signals and watchers", async () => {
  const store = await open(fixture("odd"));
  const { signal } = new AbortController();
  for (let count = 0; count < 100; count += 1) {
    const image = await store.image("odd");
    const unwatch = image.watch(() => {});
    await image.verify({ signal });
    unwatch();
    await image.close();
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
  store.close();
});

test(`${STORES} stores`, async () => {
  const threads = () =>
    process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort/.test(name)).length;
  const archive = archiveOf(filesOf(fixture("odd")));
  const before = threads();
  for (let count = 0; count < STORES; count += 1) {
    const store = await open(archive);
    await use(store, "odd");
    store.close();
  }
  // A worker ends shortly after it is told to.
  for (let wait = 0; threads() > before && wait < 100; wait += 1)
    await new Promise((done) => setTimeout(done, 50));
  assert.equal(threads(), before);
});
