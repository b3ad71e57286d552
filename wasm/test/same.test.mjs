/** The answers of the package are those of the command, byte for byte, for each kind of source. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { openAsBlob, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { expected } from "./ask.mjs";
import { filesOf } from "./made.mjs";
import { fixture, native, npm, open } from "./native.mjs";
import { outputs } from "./outputs.mjs";
import { questions } from "./questions.mjs";
import { serve } from "./server.mjs";

/** Returns files as from `<input webkitdirectory>`, with another file beside the layout. */
function chosen(layout) {
  const inside = [...filesOf(layout)].map(([path, bytes]) => [`${basename(layout)}/${path}`, bytes]);
  return [...inside, ["beside.txt", new Uint8Array()]].map(([path, bytes]) => {
    const file = new File([bytes], basename(path));
    Object.defineProperty(file, "webkitRelativePath", { value: `chosen/${path}` });
    return file;
  });
}

const server = await serve({ fixtures: fixture("") });
test.after(() => server.close());
const address = (name) => new URL(`fixtures/${name}`, server.url);

const layouts = {
  path: (name) => fixture(name),
  "file: URL": (name) => pathToFileURL(fixture(name)),
  "map of bytes": (name) => filesOf(fixture(name)),
  "map of blobs": (name) =>
    new Map([...filesOf(fixture(name))].map(([path, bytes]) => [path, new Blob([bytes])])),
  "list of files": (name) => chosen(fixture(name)),
  server: (name) => address(`${name}/`),
};

const archives = {
  path: (name) => fixture(name),
  "file: URL": (name) => pathToFileURL(fixture(name)),
  blob: (name) => openAsBlob(fixture(name)),
  file: (name) => new File([readFileSync(fixture(name))], name),
  "list of one file": (name) => [new File([readFileSync(fixture(name))], name)],
  bytes: (name) => readFileSync(fixture(name)),
  "part of a buffer": (name) => new Uint8Array([1, ...readFileSync(fixture(name)), 2]).subarray(1, -1),
  buffer: (name) => Uint8Array.from(readFileSync(fixture(name))).buffer,
  server: (name) => address(name),
};

const cases = [
  ["odd", questions.odd, layouts],
  ["nested", questions.nested, layouts],
  ["odd.oci.tar", questions.oddArchive, archives],
  ["odd.docker.tar", questions.oddArchive, archives],
  ["toc/estargz.tar", questions.toc, archives],
  ["toc/zstdchunked.tar", questions.toc, { path: archives.path, blob: archives.blob }],
  ["debian", questions.debian, { path: layouts.path }],
  [
    "debian.docker.tar",
    questions.debianArchive,
    { path: archives.path, blob: archives.blob, server: archives.server },
  ],
];

for (const [name, asked, ways] of cases) {
  for (const [way, source] of Object.entries(ways)) {
    test(`${name}: ${way}`, async () => {
      const found = await outputs(open, await source(name), asked);
      const wanted = await expected(fixture(name), asked);
      assert.equal(Object.keys(wanted).length, asked.length, "two questions have one name");
      for (const question of Object.keys(wanted)) assert.equal(found[question], wanted[question], question);
    });
  }
}

test("the kind of an archive is detected", async () => {
  for (const [name, kind] of [
    ["odd", "oci"],
    ["odd.oci.tar", "oci-archive"],
    ["odd.docker.tar", "docker-archive"],
  ]) {
    for (const options of [{}, { kind }]) {
      const store = await open(fixture(name), options);
      assert.equal(store.kind, kind);
      store.close();
    }
  }
});

test("images of two stores are compared", async () => {
  const places = ["odd", "odd.docker.tar", "nested"].map(fixture);
  const stores = await Promise.all(places.map((place) => open(place)));
  const images = {};
  for (const [at, fragment] of [
    [0, "odd"],
    [0, "gnu"],
    [1, "pos=0"],
    [2, "single"],
  ]) {
    images[`${places[at]}#${fragment}`] = await stores[at].image(fragment);
  }
  const [odd, gnu, docker, single] = Object.keys(images);
  for (const [before, after] of [
    [gnu, docker],
    [docker, gnu],
    [odd, docker],
    [single, odd],
  ]) {
    for (const semantic of [false, true]) {
      const words = ["diff", "--json", ...(semantic ? ["--semantic"] : []), before, after];
      const wanted = native(words).stdout.toString();
      // Any store can compare: one of the two, or a third.
      for (const store of stores) {
        const found = await store.diff(images[before], images[after], { semantic });
        assert.equal(`${JSON.stringify(found, null, 2)}\n`, wanted, words.join(" "));
      }
    }
  }
  for (const store of stores) store.close();
});

test("blobs are read as stored", async () => {
  const store = await open(fixture("odd"));
  const { entries } = await store.list();
  for (const { digest } of entries) {
    const file = join(fixture("odd"), "blobs", ...digest.split(":"));
    assert.deepEqual(Buffer.from(await store.blob(digest)), readFileSync(file));
  }
  store.close();
});

test("a name that is not UTF-8", async () => {
  const store = await open(fixture("odd"));
  const image = await store.image("odd");
  const { files } = await image.files();
  const { path } = files.find(({ path }) => path.startsWith("/latin"));
  assert.equal(path, "/latin-\\351");
  assert.equal(await (await image.read(path)).text(), "odd\n");
  const { deeds } = await image.why(path);
  assert.equal(deeds.length, 1);
  assert.deepEqual(
    (await image.files({ path })).files.map((row) => row.path),
    [path],
  );
  store.close();
});

test("nothing keeps the program running", () => {
  const script = `
    import { open } from ${JSON.stringify(pathToFileURL(join(npm, "dist/node.js")).href)};
    const store = await open(${JSON.stringify(fixture("odd"))});
    const image = await store.image("odd");
    await image.verify();
    console.log((await store.list()).entries.length);
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    timeout: 20_000,
  });
  assert.deepEqual([status, stdout.toString(), stderr.toString()], [0, "2\n", ""]);
});
