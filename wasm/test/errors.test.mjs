/** Errors are reported in place, with a kind and the command's message; the rest stays usable. */

import assert from "node:assert/strict";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import {
  archiveOf,
  blobPath,
  digestOf,
  filesOf,
  FOREIGN,
  layer,
  LAYER,
  layoutOf,
  onDisk,
  tar,
} from "./made.mjs";
import { done, fixture, fresh, fromDataTransfer, native, OcicleError, open } from "./native.mjs";
import { serve } from "./server.mjs";

/** Checks how a promise rejects. */
async function fails(promise, kind, message) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof OcicleError, error.stack);
    if (message instanceof RegExp) assert.match(error.message, message);
    else assert.equal(error.message, message);
    assert.equal(error.kind, kind);
    return true;
  });
}

/** Returns the command's error message, without the path of the store. */
function refused(store, words) {
  const { code, stderr } = native(words);
  assert.notEqual(code, 0, words.join(" "));
  return stderr
    .replace(/^warning: .*\n/gm, "")
    .replace(/^error: /, "")
    .replace(`${store}: `, "")
    .trimEnd();
}

const onFile = (bytes) => {
  const file = fresh("file");
  writeFileSync(file, bytes);
  return file;
};

/** Returns the changes of a layer, without attributes. */
const changesIn = ({ files }) => files.map(({ path, change }) => `${change} ${path}`).sort();

const states = (image) => image.layers.map(({ state }) => state);

test("malformed stores are refused", async () => {
  const odd = () => filesOf(fixture("odd"));
  const wrong = (path, text) => odd().set(path, Buffer.from(text));
  const archive = readFileSync(fixture("odd.oci.tar"));
  const docker = readFileSync(fixture("odd.docker.tar"));
  for (const [kind, files] of [
    ["corrupt", wrong("index.json", "{")],
    ["corrupt", wrong("index.json", '{"schemaVersion":1,"manifests":[]}')],
    ["corrupt", wrong("index.json", '{"schemaVersion":2,"manifests":{}}')],
    ["corrupt", wrong("oci-layout", "{}")],
    ["corrupt", wrong("oci-layout", '{"imageLayoutVersion":"2.0.0"}')],
  ]) {
    const layout = onDisk(files);
    const message = refused(layout, ["ls", layout]);
    for (const source of [files, layout]) await fails(open(source), kind, message);
  }
  for (const [kind, bytes] of [
    ["corrupt", archive.subarray(0, archive.length / 2)],
    ["corrupt", docker.subarray(0, docker.length / 2)],
    ["corrupt", Buffer.from("no tar")],
    ["corrupt", Buffer.alloc(0)],
    ["corrupt", Buffer.from("no tar".repeat(1000))],
    ["notFound", tar([{ name: "a", content: "b" }])],
    ["corrupt", gzipSync(archive).subarray(0, 1000)],
    ["notFound", gzipSync(tar([{ name: "a", content: "b" }]))],
    ["unsupported", gzipSync(gzipSync(archive))],
    ["unsupported", Buffer.from(`\xfd7zXZ\0${" and so on".repeat(100)}`, "latin1")],
  ]) {
    const file = onFile(bytes);
    const message = refused(file, ["ls", file]);
    for (const source of [bytes, file, new Blob([bytes])]) await fails(open(source), kind, message);
  }
});

test("wrong sources are refused", async () => {
  await fails(open(fresh("nowhere")), "notFound", /nowhere/);
  await fails(open(new URL(`file://${fresh("nowhere")}`)), "notFound", /nowhere/);
  await fails(open([]), "misuse", /the list of files is empty/);
  await fails(open(new Map([["a", new Uint8Array()]])), "notFound", /^no oci-layout among these 1 files/);
  await fails(
    open(new Map(["a/oci-layout", "b/oci-layout"].map((path) => [path, new Uint8Array()]))),
    "ambiguous",
    /a\/oci-layout, b\/oci-layout/,
  );
  for (const source of [undefined, null, 5, {}]) await fails(open(source), "misuse", /^expected /);
  await fails(open(fixture("odd"), { kind: "oci-archive" }), "misuse", /^an archive is a file/);
  await fails(open(fixture("odd.oci.tar"), { kind: "oci" }), "misuse", /^kind "oci" expects a directory/);
  await fails(open(fixture("odd.oci.tar"), { kind: "zip" }), "misuse", /^unknown kind "zip"/);
  await fails(open(fixture("odd.oci.tar"), { kind: "docker-archive" }), "notFound", /manifest\.json/);
});

test("a module that does not load", async () => {
  await fails(
    open(fixture("odd"), { module: new Uint8Array([1, 2, 3]) }),
    "io",
    /^the wasm module of ocicle did not load: .*CompileError/,
  );
  const other = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  await fails(open(fixture("odd"), { module: other }), "io", /^the worker ended: /);
  // The next one works.
  (await open(fixture("odd"))).close();
});

const stat = JSON.parse(done(["stat", "--json", `${fixture("odd")}#odd`]));
const second = stat.manifest.layers[1].digest;

/** Returns the odd image with its second layer changed. */
function damaged(change) {
  const files = filesOf(fixture("odd"));
  const bytes = change(Buffer.from(files.get(blobPath(second))));
  if (bytes === undefined) files.delete(blobPath(second));
  else files.set(blobPath(second), bytes);
  return files;
}

const damages = {
  "a flipped bit": ["corrupt", (bytes) => (bytes[bytes.length - 3] ^= 1) && bytes, /digest mismatch/],
  "a layer cut off": ["corrupt", (bytes) => bytes.subarray(0, 100), /size mismatch/],
  "a layer with more at its end": [
    "corrupt",
    (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]),
    /size mismatch/,
  ],
  "an empty layer": ["corrupt", () => Buffer.alloc(0), /size mismatch/],
  "a layer of zeros": ["corrupt", (bytes) => Buffer.alloc(bytes.length), /./],
  "a missing layer": ["corrupt", () => undefined, /is not in the store/],
};

for (const [name, [kind, change, words]] of Object.entries(damages)) {
  test(`${name} fails in place`, async () => {
    const files = damaged(change);
    const layout = onDisk(files);
    const archive = change(Buffer.alloc(100)) === undefined ? undefined : archiveOf(files);
    const message = refused(layout, ["files", `${layout}#odd`]);
    assert.match(message, words);
    for (const source of [files, layout, ...(archive ? [archive] : [])]) {
      const store = await open(source);
      const image = await store.image("odd");
      let changes = 0;
      image.watch(() => (changes += 1));
      await image.scan();
      await image.verify();
      assert.deepEqual(states(image), ["verified", "failed", "verified"]);
      assert.deepEqual(image.layers[1].error, { kind, message });
      assert.equal(changes, 3);
      // The others are listed.
      assert.deepEqual((await image.files({ layer: 2 })).files, []);
      const there = JSON.parse(done(["files", "--json", "--layer", "1", `${fixture("odd")}#odd`]));
      assert.deepEqual(changesIn(await image.files({ layer: 1 })), changesIn(there));
      assert.equal(await (await image.read("/hard-a")).text(), "shared\n");
      assert.ok((await image.rows({}, 0, 1)).total > 10);
      // What needs all layers reports the error of the failed one.
      await fails(image.waste(), kind, message);
      await fails(image.mtree(), kind, message);
      await fails(store.diff(image, image), kind, message);
      await fails(store.archive(), kind, /mismatch|is not in the store/);
      assert.equal(
        `${JSON.stringify(await store.check(), null, 2)}\n`,
        native(["check", "--json", layout]).stdout.toString(),
      );
      // Another image with the same layer has its error at once.
      const gnu = await store.image("gnu");
      assert.deepEqual(states(gnu), ["verified", "failed", "verified", "waiting"]);
      store.close();
    }
  });
}

test("broken or missing documents", async () => {
  for (const digest of [stat.descriptor.digest, stat.manifest.config.digest]) {
    for (const change of [
      () => undefined,
      (bytes) => bytes.subarray(1),
      (bytes) => Buffer.from(bytes).fill(32),
    ]) {
      const files = filesOf(fixture("odd"));
      const bytes = change(files.get(blobPath(digest)));
      if (bytes === undefined) files.delete(blobPath(digest));
      else files.set(blobPath(digest), bytes);
      const layout = onDisk(files);
      const store = await open(files);
      await fails(store.image("odd"), "corrupt", refused(layout, ["stat", `${layout}#odd`]));
      assert.equal(`${JSON.stringify(await store.list(), null, 2)}\n`, done(["ls", "--json", layout]));
      assert.equal((await store.image("gnu")).layers.length, 4);
      store.close();
    }
  }
});

test("layers that are not supported, or do not match their digests", async () => {
  const good = layer([{ name: "a", content: "a" }]);
  for (const [kind, bad] of [
    ["unsupported", layer([{ name: "b", content: "b" }], { mediaType: "application/vnd.example.squashfs" })],
    ["unsupported", layer([{ name: "b", content: "b" }], { mediaType: `${LAYER}+encrypted` })],
    ["corrupt", { ...layer([{ name: "b", content: "b" }]), diffId: digestOf("other") }],
  ]) {
    const files = layoutOf([good, bad]);
    const layout = onDisk(files);
    const store = await open(files);
    const image = await store.image();
    await image.scan();
    assert.deepEqual(states(image), ["verified", "failed"]);
    assert.deepEqual(image.layers[1].error, { kind, message: refused(layout, ["files", layout]) });
    assert.equal(await (await image.read("a")).text(), "a");
    store.close();
  }
});

test("layers of another compression than their media types say", async () => {
  const good = layer([{ name: "a", content: "a" }]);
  for (const other of [
    { ...layer([{ name: "b", content: "b" }]), mediaType: `${LAYER}+zstd` },
    { ...layer([{ name: "b", content: "b" }], { mediaType: LAYER }), mediaType: `${LAYER}+gzip` },
  ]) {
    const store = await open(layoutOf([good, other]));
    const image = await store.image();
    await image.scan();
    assert.deepEqual(states(image), ["verified", "verified"]);
    assert.equal(await (await image.read("b")).text(), "b");
    store.close();
  }
});

test("a foreign layer that the store does not have", async () => {
  const elsewhere = ["https://example.org/windows.tar.gz"];
  const foreign = layer([{ name: "b", content: "b" }], { mediaType: FOREIGN, urls: elsewhere });
  const files = layoutOf([layer([{ name: "a", content: "a" }]), foreign]);
  const layout = onDisk(files);
  for (const [there, urls] of [
    [true, undefined],
    [false, elsewhere],
  ]) {
    if (!there) files.delete(blobPath(digestOf(foreign.blob)));
    const store = await open(files);
    const image = await store.image();
    await image.scan();
    assert.deepEqual(states(image), ["verified", there ? "verified" : "failed"]);
    assert.deepEqual(
      image.layers.map(({ urls }) => urls),
      [undefined, urls],
    );
    store.close();
  }
  assert.equal(native(["check", layout]).code, 0);
});

test("a docker-archive whose layer is broken", async () => {
  const archive = readFileSync(fixture("odd.docker.tar"));
  // The content of a file, in an uncompressed layer.
  const at = archive.indexOf("through a link of the layer below\n");
  assert.ok(at > 0);
  archive[at] ^= 1;
  const file = onFile(archive);
  const store = await open(archive);
  const image = await store.image();
  await image.verify();
  assert.deepEqual(states(image), ["verified", "failed", "verified"]);
  assert.deepEqual(image.layers[1].error, { kind: "corrupt", message: refused(file, ["files", file]) });
  assert.equal(
    `${JSON.stringify(await store.check(), null, 2)}\n`,
    native(["check", "--json", file]).stdout.toString(),
  );
  assert.equal(await (await image.read("/hard-a")).text(), "shared\n");
  store.close();
});

test("an archive that refers outside of itself is an error", async () => {
  const files = filesOf(fixture("odd"));
  const whole = (change) => tar([...files].flatMap(([name, content]) => change({ name, content })));
  const layerFile = blobPath(second);
  const hostile = [
    // A blob that is a link to a file of the host or to another blob.
    whole((entry) =>
      entry.name === layerFile ? [{ name: layerFile, type: "2", link: "/etc/passwd" }] : [entry],
    ),
    whole((entry) =>
      entry.name === layerFile
        ? [{ name: layerFile, type: "2", link: "../../../../../../etc/passwd" }]
        : [entry],
    ),
    whole((entry) =>
      entry.name === layerFile ? [{ name: layerFile, type: "1", link: "../../etc/passwd" }] : [entry],
    ),
    whole((entry) =>
      entry.name === "index.json" ? [{ name: "index.json", type: "2", link: "/etc/passwd" }] : [entry],
    ),
    // Names with "..".
    whole((entry) => (entry.name === layerFile ? [{ ...entry, name: `../${layerFile}` }] : [entry])),
    whole((entry) =>
      entry.name === layerFile ? [{ ...entry, name: `blobs/../../x/${layerFile}` }] : [entry],
    ),
    // A device, and two documents of one name.
    whole((entry) => (entry.name === "index.json" ? [{ name: "index.json", type: "3" }] : [entry])),
    whole((entry) => (entry.name === "index.json" ? [entry, { ...entry, content: "{}" }] : [entry])),
    // manifest.json names files outside of the archive.
    ...["../../etc/passwd", "/etc/passwd"].map((outside) =>
      tar([
        {
          name: "manifest.json",
          content: JSON.stringify([{ Config: outside, RepoTags: ["a:b"], Layers: [outside] }]),
        },
      ]),
    ),
  ];
  for (const [number, archive] of hostile.entries()) {
    const file = onFile(archive);
    const said = native(["files", "--json", `${file}#pos=0`]);
    let store;
    let error;
    try {
      store = await open(archive);
      const image = await store.image("pos=0");
      await image.verify();
      error = image.layers.find((layer) => layer.error)?.error;
    } catch (thrown) {
      error = thrown;
    }
    assert.notEqual(said.code, 0, `archive ${number} is read by the command`);
    assert.equal(
      error?.message,
      said.stderr
        .replace(/^error: /, "")
        .replace(`${file}: `, "")
        .trimEnd(),
      `archive ${number}`,
    );
    store?.close();
  }
});

test("absent paths, layers and references", async () => {
  const store = await open(fixture("odd"));
  const image = await store.image("odd");
  const at = `${fixture("odd")}#odd`;
  const words = (command, path) => refused("", [command, at, path]);
  await fails(image.read("/nope"), "notFound", words("cat", "/nope"));
  await fails(image.read("/etc/passwd/x"), "notFound", words("cat", "/etc/passwd/x"));
  await fails(image.read("/etc"), "unsupported", words("cat", "/etc"));
  await fails(image.read("/dangling"), "notFound", words("cat", "/dangling"));
  await fails(image.why("/nope"), "notFound", words("why", "/nope"));
  await fails(image.files({ path: "/nope" }), "notFound", words("files", "/nope"));
  await fails(image.treemap({ path: "/nope" }), "notFound", "/nope not found in the image");
  await fails(image.read("/a\\"), "misuse", /./);
  await fails(image.read(`/${"x".repeat(5000)}`), "misuse", /./);
  await fails(image.files({ layer: 4 }), "misuse", "layer 4 not found: the image has layers 1 to 3");
  await fails(image.files({ layer: 0 }), "misuse", "layer 0 not found: the image has layers 1 to 3");
  await fails(image.rows({ layer: 9 }, 0, 1), "misuse", "layer 9 not found: the image has layers 1 to 3");
  await fails(image.rows({ sort: "age" }, 0, 1), "misuse", /unknown variant `age`/);
  await fails(image.rows({ serach: "x" }, 0, 1), "misuse", /unknown field `serach`/);
  await fails(image.mtree("gnu"), "misuse", /gnu/);
  await fails(store.blob("x"), "misuse", /^invalid digest "x"/);
  await fails(store.blob(digestOf("nothing")), "notFound", `blob ${digestOf("nothing")} is not in the store`);
  const nested = fixture("nested");
  const kinds = {
    ambiguous: ["multi", "twice", "nested//type=index"],
    notFound: ["x", "multi//platform=linux/s390x", "pos=99"],
    misuse: ["pos=x", "a//"],
  };
  const other = await open(nested);
  for (const [kind, fragments] of Object.entries(kinds)) {
    for (const fragment of fragments)
      await fails(other.image(fragment), kind, refused(nested, ["stat", `${nested}#${fragment}`]));
  }
  other.close();
  store.close();
});

test("limits are those of the command", async () => {
  const at = fixture("odd");
  const limit = (name, value, ...words) =>
    refused(at, [...words, "--limit", `${name}=${value}`]).split("\n")[0];
  await fails(open(at, { limits: { document: 10 } }), "limit", limit("document", 10, "ls", at));
  const store = await open(at, { limits: { entries: 3 } });
  const image = await store.image("odd");
  await image.scan();
  const message = limit("entries", 3, "files", `${at}#odd`);
  assert.deepEqual(image.layers[0].error, { kind: "limit", message });
  assert.match((await store.check()).findings[0].problem, /limit of 3/);
  store.close();
  const low = await open(at, { limits: { path: 100 } });
  const other = await low.image("odd");
  await other.scan();
  assert.equal(other.layers[0].error.message, limit("path", 100, "files", `${at}#odd`));
  low.close();
  const small = await open(layoutOf([layer([{ name: "a", content: "a" }])]), { limits: { path: 10 } });
  await fails((await small.image()).read("/more/than/ten"), "misuse", /10/);
  small.close();
  await fails(open(at, { limits: { rate: 1 } }), "misuse", /^unknown limit "rate" \(known: document, /);
  for (const wrong of ["5", -1, 1.5, Number.NaN, null, {}])
    await fails(open(at, { limits: { ratio: wrong } }), "misuse", /^options\.limits\.ratio: expected a /);
});

test("wrong arguments are refused by name", async () => {
  const source = fixture("odd");
  const store = await open(source);
  const image = await store.image("odd");
  const file = { path: "a", content: "a" };
  const calls = {
    fragment: [
      (value) => store.image(value),
      (value) => store.resolve(value),
      (value) => store.configure(value, { user: "x" }),
      (value) => store.insert(value, "/", [file]),
    ],
    digest: [(value) => store.blob(value)],
    edit: [(value) => store.configure("odd", value)],
    target: [(value) => store.insert("odd", value, [file])],
    files: [(value) => store.insert("odd", "/", value)],
    "files[0]": [(value) => store.insert("odd", "/", [value])],
    "files[0].path": [(path) => store.insert("odd", "/", [{ content: "a", path }])],
    "files[0].content": [(content) => store.insert("odd", "/", [{ path: "a", content }])],
    "files[0].mode": [(mode) => store.insert("odd", "/", [{ ...file, mode }])],
    "files[0].mtime": [(mtime) => store.insert("odd", "/", [{ ...file, mtime }])],
    "options.tag": [(tag) => store.configure("odd", { user: "x" }, { tag })],
    "options.created": [(created) => store.insert("odd", "/", [file], { created })],
    before: [(value) => store.diff(value, image)],
    after: [(value) => store.diff(image, value)],
    "options.semantic": [(semantic) => store.diff(image, image, { semantic })],
    options: [
      (value) => open(source, value),
      (value) => store.check(value),
      (value) => store.archive(value),
      (value) => store.diff(image, image, value),
      (value) => store.configure("odd", { user: "x" }, value),
      (value) => store.insert("odd", "/", [file], value),
      (value) => image.scan(value),
      (value) => image.verify(value),
      (value) => image.waste(value),
      (value) => image.mtree("native", value),
      (value) => image.treemap(value),
      (value) => image.files(value),
      (value) => image.read("/etc/group", value),
    ],
    "options.signal": [
      (signal) => open(source, { signal }),
      (signal) => store.check({ signal }),
      (signal) => image.verify({ signal }),
    ],
    "options.onProgress": [(onProgress) => image.scan({ onProgress })],
    "options.kind": [(kind) => open(source, { kind })],
    "options.module": [(module) => open(source, { module })],
    "options.worker": [(worker) => open(source, { worker })],
    "options.workers": [(workers) => open(source, { workers })],
    "options.limits": [(limits) => open(source, { limits })],
    query: [(value) => image.rows(value, 0, 1), (value) => image.position(value, "/")],
    from: [(value) => image.rows({}, value, 1)],
    count: [(value) => image.rows({}, 0, value)],
    path: [(value) => image.position({}, value), (value) => image.why(value), (value) => image.read(value)],
    "options.path": [(path) => image.files({ path }), (path) => image.treemap({ path })],
    "options.layer": [(layer) => image.files({ layer }), (layer) => image.read("/etc/group", { layer })],
    "options.by": [(by) => image.treemap({ by })],
    "options.parts": [(parts) => image.treemap({ parts })],
    dialect: [(value) => image.mtree(value)],
    data: [(value) => fromDataTransfer(value)],
  };
  const values = [0, -1, 1.5, Number.NaN, true, "x", null, [], new Map([["a", 1]]), Symbol("s"), 1n];
  /** Whether a value is not what the argument must be. */
  const unlike = (name, value) => {
    if (name === "files") return !Array.isArray(value);
    const last = name.split(".").at(-1);
    if (/^(fragment|digest|target|path|content|tag|kind|dialect)$/.test(last))
      return typeof value !== "string";
    if (/^(from|count|mode|layer)$/.test(last)) return value !== 0;
    if (last === "semantic") return typeof value !== "boolean";
    return true;
  };
  for (const [name, all] of Object.entries(calls)) {
    for (const call of all) {
      for (const value of values.filter((value) => unlike(name, value))) {
        const begins = new RegExp(`^${name.replaceAll(/[[\].]/g, "\\$&")}: expected `);
        await fails(call(value), "misuse", begins);
      }
    }
  }
  // Missing arguments.
  for (const [name, call] of Object.entries({
    digest: () => store.blob(),
    edit: () => store.configure("odd"),
    target: () => store.insert("odd"),
    files: () => store.insert("odd", "/"),
    before: () => store.diff(),
    query: () => image.rows(),
    from: () => image.rows({}),
    count: () => image.rows({}, 0),
    path: () => image.why(),
    data: () => fromDataTransfer(),
  }))
    await fails(call(), "misuse", new RegExp(`^${name}: expected .*, found undefined$`));
  assert.throws(() => image.watch(), { name: "OcicleError", kind: "misuse" });
  assert.throws(() => image.watch("x"), { message: 'listener: expected a function, found "x"' });
  // Options that are misspelt.
  for (const call of [
    () => open(source, { singal: undefined }),
    () => store.check({ singal: 1 }),
    () => store.insert("odd", "/", [{ ...file, mod: 1 }]),
    () => image.read("/etc/group", { layers: 1 }),
  ])
    await fails(call(), "misuse", /: unknown option "\w+" \(known: [\w, ]+\)$/);
  for (const wrong of [
    { search: () => 1 },
    { env: new Map() },
    { layer: Number.POSITIVE_INFINITY },
    { open: [Symbol("s")] },
  ])
    await fails(image.rows(wrong, 0, 1), "misuse", /: expected a value that JSON has, found /);
  for (const layer of [-1, 1.5, "1", true])
    await fails(image.rows({ layer }, 0, 1), "misuse", /^invalid (value|type): /);
  const circular = {};
  circular.labels = circular;
  await fails(store.configure("odd", circular), "misuse", /^edit: TypeError: .*circular/);
  await fails(open(new Map([[5, new Uint8Array()]])), "misuse", /^a path of the source: expected a string/);
  await fails(open(new Map([["oci-layout", "x"]])), "misuse", /^oci-layout: expected a Blob or Uint8Array/);
  await fails(open([5]), "misuse", /^the source, at 0: expected a File, found 5$/);
  // Nothing was changed, and nothing is broken.
  assert.deepEqual((await store.list()).entries, (await (await open(source)).list()).entries);
  store.close();
});

test("an image that was closed", async () => {
  const store = await open(fixture("odd"));
  const [image, another] = await Promise.all([store.image("odd"), store.image("odd")]);
  await image.files();
  await image.close();
  await fails(image.stat(), "misuse", "this image was closed");
  await fails(image.rows({}, 0, 1), "misuse", "this image was closed");
  assert.equal(
    (await another.files()).files.length,
    JSON.parse(done(["files", "--json", `${fixture("odd")}#odd`])).files.length,
  );
  store.close();
});

test("a file that becomes shorter while it is open", async () => {
  const file = onFile(readFileSync(fixture("odd.docker.tar")));
  const store = await open(file);
  const image = await store.image();
  truncateSync(file, 1000);
  await image.scan();
  for (const { state, error } of image.layers) {
    assert.equal(state, "failed");
    assert.match(error.message, /the file became shorter while it was read/);
    assert.equal(error.kind, "io");
  }
  assert.equal((await store.list()).entries.length, 1);
  store.close();
});

/** A server that works until `broken` is set. */
async function badServer(use) {
  const state = { broken: () => false };
  const server = await serve(
    { fixtures: fixture("") },
    { bad: (request, response) => state.broken(request, response) },
  );
  try {
    return await use((name) => new URL(`fixtures/${name}`, server.url), state, server);
  } finally {
    await server.close();
  }
}

test("servers that do not send what was requested", async () => {
  const url = await badServer(async (at, state) => {
    await fails(open(at("absent.tar")), "io", /absent\.tar: the server answered 404$/);
    await fails(open(at("absent/")), "notFound", /^oci-layout not found/);
    state.broken = (_, response) => !!response.writeHead(500).end();
    await fails(open(at("odd.oci.tar")), "io", /the server answered 500$/);
    await fails(open(at("odd/")), "io", /the server answered 500$/);
    state.broken = (request) => void delete request.headers.range;
    await fails(open(at("odd.oci.tar")), "unsupported", /does not support Range requests/);
    await fails(open(at("odd/")), "io", /the server answered 200, expected 206$/);
    // No Content-Length.
    state.broken = (request, response) =>
      request.method === "HEAD" && !!response.writeHead(200, { "Transfer-Encoding": "chunked" }).end();
    await fails(open(at("odd/")), "io", /oci-layout: the server sends no Content-Length/);
    return at("odd.oci.tar");
  });
  await fails(open(url), "io", /odd\.oci\.tar: /);
});

test("a server that fails later", async () => {
  await badServer(async (at, state) => {
    for (const name of ["odd.docker.tar", "odd/"]) {
      for (const broken of [
        (_, response) => !!response.writeHead(503).end(),
        (request) => !!request.socket.destroy(),
      ]) {
        state.broken = () => false;
        const store = await open(at(name));
        const image = await store.image("pos=0");
        state.broken = broken;
        await image.scan();
        assert.ok(
          image.layers.every(({ state, error }) => state === "failed" && error.kind === "io"),
          JSON.stringify(image.layers),
        );
        assert.ok((await store.list()).entries.length > 0);
        store.close();
      }
    }
  });
});
