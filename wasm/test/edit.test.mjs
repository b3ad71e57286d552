/** Edits have the digests and archives of the command for the same inputs. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { archive, expected } from "./ask.mjs";
import { archiveOf, filesOf } from "./made.mjs";
import { done, fixture, fresh, native, open } from "./native.mjs";
import { outputs } from "./outputs.mjs";
import { bytesOf } from "./said.mjs";

const EPOCH = 1_700_000_000;
const created = new Date(EPOCH * 1000);

/** Returns a copy for the command to change. Blobs are hard links, since blobs never change. */
function copy(name) {
  const layout = fresh(name);
  execFileSync("cp", ["-rl", fixture(name), layout]);
  return layout;
}

/** Checks that the store in memory equals the one that the command wrote to the disk. */
async function assertSame(store, layout) {
  assert.deepEqual(`${JSON.stringify(await store.list(), null, 2)}\n`, done(["ls", "--json", layout]));
  assert.ok(archive(layout).equals(await bytesOf(await store.archive())), "the archives differ");
}

/** Edits, with the command's arguments for each. */
const configs = [
  [
    { user: "www:www", workingDir: "/srv", cmd: ["/bin/sh", "-c", "echo 'a b'"] },
    "--user www:www --workdir /srv --cmd /bin/sh --cmd -c --cmd".split(" ").concat("echo 'a b'"),
  ],
  [
    { entrypoint: ["/init"], stopSignal: "SIGUSR1", author: "Ü" },
    ["--entrypoint", "/init", "--stop-signal", "SIGUSR1", "--author", "Ü"],
  ],
  [
    { env: { PATH: "/bin", A: "1=2", EMPTY: "" } },
    ["--env", "PATH=/bin", "--env", "A=1=2", "--env", "EMPTY="],
  ],
  [
    { labels: { z: "1", a: "2" }, annotations: { "org.example": "x\ny" } },
    ["--label", "z=1", "--label", "a=2", "--annotation", "org.example=x\ny"],
  ],
  [
    { ports: ["443", "53/udp"], volumes: ["/data"] },
    ["--port", "443", "--port", "53/udp", "--volume", "/data"],
  ],
  [
    { clear: ["labels", "cmd", "ports"], labels: { only: "this" } },
    ["--clear", "labels", "--clear", "cmd", "--clear", "ports", "--label", "only=this"],
  ],
  [
    { os: "windows", osVersion: "10.0.1", osFeatures: ["win32k"], architecture: "arm64", variant: "v8" },
    "--os windows --os-version 10.0.1 --os-feature win32k --arch arm64 --variant v8".split(" "),
  ],
  [{ created: "2001-02-03T04:05:06Z" }, ["--created", "2001-02-03T04:05:06Z"]],
];

for (const [name, fragment] of [
  ["odd", "odd"],
  ["nested", "multi//platform=linux/arm64"],
  ["nested", "single"],
]) {
  for (const tag of [undefined, "new"]) {
    test(`configure: ${name}#${fragment}, ${tag ?? "in its place"}`, async () => {
      for (const [edit, words] of tag ? configs.slice(0, 3) : configs) {
        // A new store each time, since changing the platform changes what the fragment matches.
        const layout = copy(name);
        const store = await open(fixture(name));
        const command = ["config", `${layout}#${fragment}`, ...words, ...(tag ? ["--tag", tag] : [])];
        const wanted = native(command, { epoch: EPOCH });
        const found = await store.configure(fragment, edit, { created, ...(tag && { tag }) }).then(
          (digest) => `${digest}\n`,
          (error) => `error: ${error.message}\n`,
        );
        assert.equal(found, wanted.code === 0 ? wanted.stdout.toString() : wanted.stderr, command.join(" "));
        await assertSame(store, layout);
        store.close();
      }
    });
  }
}

/** Files with all attributes, and times before and after the date of the image. */
const files = [
  { path: "hello.txt", content: "hello\n", mtime: new Date(1_600_000_000_500) },
  {
    path: "bin/tool",
    content: new Uint8Array([0x7f, 0x45, 0, 0xff]),
    mode: 0o4755,
    mtime: new Date(-86_400_250),
  },
  { path: "empty", content: new Blob([]), mode: 0o600 },
  { path: "bin/deep/er/ünï \n", content: "x".repeat(300_000), uid: 5, gid: 6, mtime: new Date(0) },
  { path: "later", content: "later", mtime: new Date(2e12) },
  { path: "a file", content: new File(["a"], "name", { lastModified: 1_500_000_000_000 }) },
];

/** Writes the same files to the disk. */
async function written(directory) {
  mkdirSync(directory);
  for (const { path, content, mode = 0o644, uid = 0, gid = 0, mtime } of files) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content instanceof Blob ? await bytesOf(content) : content);
    chownSync(file, uid, gid);
    chmodSync(file, mode);
    const time = mtime ?? (content instanceof File ? new Date(content.lastModified) : created);
    utimesSync(file, time, time);
  }
  for (const path of ["", "bin", "bin/deep", "bin/deep/er"]) chmodSync(join(directory, path), 0o755);
}

const tree = fresh("tree");
await written(tree);

for (const [name, fragment, target] of [
  ["odd", "odd", "/opt/app"],
  ["odd", "gnu", "/"],
  ["nested", "multi//platform=linux/amd64", "new"],
  ["nested", "docker//platform=linux/amd64", "etc/../srv"],
  ["debian", "debian", "/usr/local"],
]) {
  for (const tag of [undefined, "v2"]) {
    test(`insert: ${name}#${fragment}, ${tag ?? "in its place"}`, async () => {
      const layout = copy(name);
      const store = await open(fixture(name));
      const wanted = done(["insert", `${layout}#${fragment}`, tree, target, ...(tag ? ["--tag", tag] : [])], {
        epoch: EPOCH,
      });
      const digest = await store.insert(fragment, target, files, { created, ...(tag && { tag }) });
      assert.equal(`${digest}\n`, wanted);
      await assertSame(store, layout);
      store.close();
    });
  }
}

test("a layer in zstd has other bytes than that of the command, and the same files", async () => {
  const layout = copy("debian");
  done(["insert", `${layout}#zstd`, tree, "/opt"], { epoch: EPOCH });
  const store = await open(fixture("debian"));
  await store.insert("zstd", "/opt", files, { created });
  const image = await store.image("zstd");
  const wanted = JSON.parse(done(["stat", "--json", `${layout}#zstd`]));
  assert.deepEqual((await image.stat()).config, wanted.config);
  assert.equal(
    `${JSON.stringify(await image.files({ layer: 2 }), null, 2)}\n`,
    done(["files", "--json", "--layer", "2", `${layout}#zstd`]),
  );
  assert.deepEqual((await store.check()).findings, []);
  store.close();
});

test("edits of edits, read before they are saved", async () => {
  const layout = copy("odd");
  const store = await open(fixture("odd.oci.tar"));
  const from = copy("odd");
  done(["rm", `${from}#gnu`]);
  done(["copy", "--quiet", fixture("odd.oci.tar"), `oci:${layout}-two`]);
  const two = `${layout}-two`;
  const epoch = { epoch: EPOCH };
  done(["insert", `${two}#pos=0`, tree, "/one"], epoch);
  done(["config", `${two}#pos=0`, "--env", "A=b"], epoch);
  done(["insert", `${two}#pos=0`, tree, "/two", "--tag", "two"], epoch);
  await store.insert("pos=0", "/one", files, { created });
  await store.configure("pos=0", { env: { A: "b" } }, { created });
  await store.insert("pos=0", "/two", files, { created, tag: "two" });
  await assertSame(store, two);
  assert.equal(`${JSON.stringify(await store.check(), null, 2)}\n`, done(["check", "--json", two]));

  // Layers in memory are read like others.
  const image = await store.image("two");
  await image.verify();
  assert.deepEqual(
    image.layers.map(({ state }) => state),
    Array(5).fill("verified"),
  );
  assert.equal(await (await image.read("/two/hello.txt")).text(), "hello\n");
  assert.equal(`${JSON.stringify(await image.files(), null, 2)}\n`, done(["files", "--json", `${two}#two`]));
  assert.equal(
    `${JSON.stringify(await image.why("/one/later"), null, 2)}\n`,
    done(["why", "--json", `${two}#two`, "/one/later"]),
  );

  // The saved archive has the same answers as the store in memory.
  const asked = [
    { ask: "ls" },
    { ask: "files", image: "two" },
    { ask: "waste", image: "two" },
    { ask: "archive" },
    { ask: "check" },
  ];
  assert.deepEqual(await outputs(open, await store.archive(), asked), await expected(two, asked));
  store.close();
});

test("an archive of docker save keeps its lists", async () => {
  const files = filesOf(fixture("odd"));
  const list = [{ Config: "any", RepoTags: ["any:1"], Layers: [] }];
  files.set("manifest.json", Buffer.from(JSON.stringify(list)));
  files.set("repositories", Buffer.from("{}"));
  const saved = fresh("saved.tar");
  writeFileSync(saved, archiveOf(files));
  const store = await open(readFileSync(saved));
  done(["config", `${saved}#odd`, "--env", "A=b", "--tag", "example/odd:2"], { epoch: EPOCH });
  await store.configure("odd", { env: { A: "b" } }, { created, tag: "example/odd:2" });
  const written = await bytesOf(await store.archive());
  assert.ok(readFileSync(saved).equals(written), "the archives differ");
  assert.match(Buffer.from(written).toString("latin1"), /"RepoTags":\["example\/odd:2"\]/);
  store.close();
});

test("a layer that was added may be larger than a document", async () => {
  const store = await open(fixture("odd"));
  const content = new Uint8Array(18 << 20);
  for (let at = 0; at < content.length; at += 65_536)
    crypto.getRandomValues(content.subarray(at, at + 65_536));
  await store.insert("odd", "/", [{ path: "noise", content }], { created });
  const image = await store.image("odd");
  await image.verify();
  assert.deepEqual(
    image.layers.map(({ state, error }) => error?.message ?? state),
    Array(4).fill("verified"),
  );
  assert.ok(Buffer.from(content).equals(await bytesOf(await image.read("/noise"))));
  store.close();
});

test("an edit that cannot be made changes nothing", async () => {
  const store = await open(fixture("odd"));
  const before = await store.list();
  const hello = [{ path: "a", content: "a" }];
  const cases = [
    [() => store.configure("odd", {}), "misuse", /^nothing to change/],
    [() => store.configure("nothing", { user: "x" }), "notFound", /^nothing matches "nothing"/],
    [() => store.configure("odd", { user: "x" }, { tag: "no tag" }), "misuse", /no tag/],
    [() => store.configure("odd", { usr: "x" }), "misuse", /unknown field `usr`/],
    [() => store.configure("odd", { created: "yesterday" }), "misuse", /yesterday/],
    [() => store.configure("odd", { env: { "": "x" } }), "misuse", /^a variable needs a name$/],
    [() => store.configure("odd", { ports: ["many"] }), "misuse", /^port "many": expected a number/],
    [() => store.insert("odd", "/x", [...hello, ...hello]), "misuse", /^a: listed twice$/],
    [
      () => store.insert("odd", "/x", [...hello, { path: "a/b", content: "b" }]),
      "exists",
      /^a\/b already exists$/,
    ],
    [
      () => store.insert("odd", "/x", [{ path: "", content: "b" }]),
      "misuse",
      /cannot create a file at the root path$/,
    ],
    [
      () => store.insert("odd", "/x", [{ path: ".wh.a", content: "b" }]),
      "corrupt",
      /are reserved for whiteouts$/,
    ],
    [() => store.insert("nothing", "/x", hello), "notFound", /^nothing matches "nothing"/],
    [() => store.insert("odd", "\0", hello), "misuse", /NUL in name$/],
  ];
  for (const [edit, kind, message] of cases) {
    await assert.rejects(edit, (error) => {
      assert.equal(error.name, "OcicleError");
      assert.equal(error.kind, kind, error.message);
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(await store.list(), before);
  }
  // And the next edit succeeds.
  await store.configure("odd", { user: "x" });
  assert.notDeepEqual(await store.list(), before);
  store.close();
});
