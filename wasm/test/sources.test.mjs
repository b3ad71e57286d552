/** Sources that cannot be read in place, or must not be: compressed archives, links, malformed entries. */

import assert from "node:assert/strict";
import { readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { filesOf, onDisk } from "./made.mjs";
import { fixture, fresh, open, OcicleError } from "./native.mjs";

test("compressed archives are opened whatever their names", async () => {
  for (const name of ["odd.oci.tar", "odd.docker.tar"]) {
    const plain = readFileSync(fixture(name));
    const packed = gzipSync(plain);
    const path = fresh("packed");
    writeFileSync(path, packed);
    const expected = await open(plain);
    const [{ selector }] = (await expected.list()).entries;
    const files = async (store) => (await store.image(selector)).files({ path: "/" });
    for (const source of [packed, path, new Blob([packed])]) {
      const steps = [];
      const store = await open(source, { onProgress: (step) => steps.push(step) });
      assert.equal(store.kind, expected.kind);
      assert.deepEqual(await store.list(), await expected.list());
      assert.deepEqual(await files(store), await files(expected));
      assert.equal((await store.check()).findings.length, 0);
      assert.ok(steps.length > 0);
      assert.ok(steps.every(({ done, total }) => done <= total && total === packed.length));
      store.close();
    }
    expected.close();
  }
});

test("a link that leads out of a layout is refused", async () => {
  const layout = onDisk(filesOf(fixture("odd")));
  const index = join(layout, "index.json");
  const outside = fresh("index.json");
  renameSync(index, join(layout, "other.json"));
  symlinkSync("other.json", index);
  const store = await open(layout);
  assert.ok((await store.list()).entries.length > 0);
  store.close();
  renameSync(join(layout, "other.json"), outside);
  renameSync(index, join(layout, "old"));
  symlinkSync(outside, index);
  await assert.rejects(open(layout), (error) => {
    assert.ok(error instanceof OcicleError, error.stack);
    assert.match(error.message, /refusing to follow index\.json: a symbolic link leads out of the layout/);
    return true;
  });
});

test("a malformed entry hides no other", async () => {
  const files = filesOf(fixture("odd"));
  const index = JSON.parse(files.get("index.json").toString());
  const before = index.manifests.length;
  index.manifests.unshift({ mediaType: "a/b", digest: "sha256:../../x", size: 1 });
  const store = await open(files.set("index.json", Buffer.from(JSON.stringify(index))));
  const { entries } = await store.list();
  assert.equal(entries.length, before + 1);
  assert.equal(entries[0].kind, "malformed");
  assert.match(entries[0].problem, /^entry 0 is malformed: /);
  assert.ok((await (await store.image("odd")).files({ path: "/" })).files.length > 0);
  store.close();
});
