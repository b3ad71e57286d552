/** A large layer with a table of contents is listed from it, and trusted only once it is verified. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { archiveOf, digestOf, layer, LAYER, layoutOf, onDisk, tarEntry } from "./made.mjs";
import { done, fresh, open } from "./native.mjs";

/** Larger than layers that are verified at once. */
const LARGE = 6 << 20;

const noise = randomFillSync(Buffer.alloc(LARGE));

const entries = [
  { name: "etc/", type: "5" },
  { name: "etc/motd", content: "hello\n" },
  { name: "noise", content: noise },
  { name: "link", type: "2", link: "noise", mode: 0o777 },
];

const TYPES = { 0: "reg", 2: "symlink", 5: "dir" };

/**
 * Writes eStargz (`docs/estargz.md` of stargz-snapshotter): gzip members, the table in the last but one, its
 * offset in the last.
 */
function estargz(entries, told = entries) {
  const parts = [];
  let offset = 0;
  const put = (bytes) => {
    const at = offset;
    const packed = gzipSync(bytes, { level: 1 });
    parts.push(packed);
    offset += packed.length;
    return at;
  };
  const plain = [];
  const offsets = entries.map((entry) => {
    const bytes = tarEntry(entry);
    plain.push(bytes);
    if (bytes.length === 512) return put(bytes);
    put(bytes.subarray(0, 512));
    return put(bytes.subarray(512));
  });
  const modtime = new Date(1_600_000_000_000).toISOString();
  const table = Buffer.from(
    JSON.stringify({
      version: 1,
      entries: told.map(
        ({ name, type = "0", content = "", link, mode = type === "5" ? 0o755 : 0o644 }, at) => ({
          name,
          type: TYPES[type],
          modtime,
          mode,
          ...(link && { linkName: link }),
          ...(type === "0" && {
            size: Buffer.byteLength(content),
            offset: offsets[at],
            digest: digestOf(content),
          }),
        }),
      ),
    }),
  );
  const last = Buffer.concat([tarEntry({ name: "stargz.index.json", content: table }), Buffer.alloc(1024)]);
  plain.push(last);
  const start = put(last).toString(16).padStart(16, "0");
  const footer = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 26, 0]),
    Buffer.from(`SG\x16\0${start}STARGZ`, "latin1"),
    Buffer.from([1, 0, 0, 255, 255]),
    Buffer.alloc(8),
  ]);
  return {
    blob: Buffer.concat([...parts, footer]),
    diffId: digestOf(Buffer.concat(plain)),
    mediaType: `${LAYER}+gzip`,
    annotations: { "containerd.io/snapshot/stargz/toc.digest": digestOf(table) },
  };
}

const paths = ({ files }) => files.map(({ path }) => path).sort();

test("eStargz", async () => {
  const files = layoutOf([estargz(entries)]);
  const at = onDisk(files);
  for (const source of [at, files, new Blob([archiveOf(files)])]) {
    const store = await open(source);
    const image = await store.image();
    const steps = [];
    await image.scan({ onProgress: ({ done }) => steps.push(done) });
    assert.deepEqual(
      image.layers.map(({ state, listedFrom }) => [state, listedFrom]),
      [["listed", "toc"]],
    );
    const wanted = JSON.parse(done(["files", "--json", at]));
    assert.deepEqual(await image.files(), wanted);
    // Contents are read from the layer itself.
    assert.ok(noise.equals(Buffer.from(await (await image.read("/link")).arrayBuffer())));
    await image.verify();
    assert.deepEqual(
      image.layers.map(({ state, listedFrom }) => [state, listedFrom]),
      [["verified", undefined]],
    );
    assert.deepEqual(await image.files(), wanted);
    assert.equal(
      `${JSON.stringify(await image.waste(), null, 2)}\n`,
      done(["waste", "--json", at]).replace(": 1.0,", ": 1,"),
    );
    store.close();
  }
});

test("a wrong table is used until the layer was verified", async () => {
  const lie = entries.map((entry) => (entry.name === "etc/motd" ? { ...entry, name: "etc/passwd" } : entry));
  const files = layoutOf([estargz(entries, lie)]);
  const store = await open(files);
  const image = await store.image();
  assert.deepEqual(paths(await image.files()).includes("/etc/passwd"), true);
  assert.equal(image.layers[0].listedFrom, "toc");
  await image.verify();
  assert.equal(image.layers[0].state, "verified");
  assert.deepEqual(await image.files(), JSON.parse(done(["files", "--json", onDisk(files)])));
  assert.deepEqual(paths(await image.files()).includes("/etc/passwd"), false);
  store.close();
});

test("a table that does not match the manifest", async () => {
  const layer = estargz(entries);
  layer.annotations = { "containerd.io/snapshot/stargz/toc.digest": digestOf("another") };
  const store = await open(layoutOf([layer]));
  const image = await store.image();
  await image.scan();
  const [{ state, listedFrom, error }] = image.layers;
  assert.deepEqual([state, listedFrom], ["listed", "archive"], error?.message);
  store.close();
});

test("a list is dropped if the layer does not match it", async () => {
  const base = layer([{ name: "base", content: "base" }]);
  for (const [state, bad] of [
    ["toc", estargz(entries)],
    ["archive", layer(entries)],
  ]) {
    const store = await open(layoutOf([base, { ...bad, diffId: digestOf("another") }]));
    const image = await store.image();
    const seen = [];
    const stop = image.watch(() => seen.push(image.layers.map(({ state }) => state).join()));
    await image.scan();
    assert.deepEqual([image.layers[1].state, image.layers[1].listedFrom], ["listed", state]);
    assert.ok(paths(await image.files()).includes("/noise"));
    await image.verify();
    assert.deepEqual([image.layers[1].state, image.layers[1].listedFrom], ["failed", undefined]);
    assert.match(image.layers[1].error.message, /diff_id mismatch/);
    assert.deepEqual(paths(await image.files()), ["/", "/base"]);
    assert.deepEqual([seen.length, seen.at(-1)], [3, "verified,failed"]);
    // Another image with the layer does not show it either.
    const same = await store.image();
    assert.deepEqual(paths(await same.files()), ["/", "/base"]);
    stop();
    store.close();
  }
});

test("zstd:chunked, by skopeo", async () => {
  const at = onDisk(layoutOf([layer(entries, { mediaType: LAYER })]));
  const file = fresh("chunked.tar");
  execFileSync("skopeo", [
    "copy",
    "--quiet",
    "--dest-compress-format",
    "zstd:chunked",
    `oci:${at}:made`,
    `oci-archive:${file}`,
  ]);
  const store = await open(file);
  const image = await store.image();
  await image.scan();
  assert.deepEqual(
    image.layers.map(({ state, listedFrom }) => [state, listedFrom]),
    [["listed", "toc"]],
  );
  const { files } = JSON.parse(done(["files", "--json", file]));
  assert.deepEqual((await image.files()).files, files);
  assert.ok(noise.equals(Buffer.from(await (await image.read("/noise")).arrayBuffer())));
  await image.verify();
  assert.deepEqual(
    image.layers.map(({ state, listedFrom }) => [state, listedFrom]),
    [["verified", undefined]],
  );
  assert.deepEqual((await image.files()).files, files);
  store.close();
});

test("a large layer without a table is listed from its archive", async () => {
  const store = await open(layoutOf([layer(entries)]));
  const image = await store.image();
  await image.scan();
  assert.deepEqual(
    image.layers.map(({ state, listedFrom }) => [state, listedFrom]),
    [["listed", "archive"]],
  );
  store.close();
});
