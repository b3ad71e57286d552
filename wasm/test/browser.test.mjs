/** In Chromium: the same outputs, and errors in place. */

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { expected } from "./ask.mjs";
import { start } from "./chromium.mjs";
import { filesOf } from "./made.mjs";
import { done, fixture, fresh } from "./native.mjs";
import { questions } from "./questions.mjs";

const { inPage, state, close } = await start();
test.after(close);

/** Drops a file or directory as a user does. */
async function drop(page, file) {
  const session = await page.context().newCDPSession(page);
  const { x, y } = await page.locator("#drop").boundingBox();
  const data = { items: [], files: [file], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"])
    await session.send("Input.dispatchDragEvent", { type, x: x + 2, y: y + 2, data });
  await page.waitForFunction(() => "dropped" in window);
}

const put = (page, input, file) => page.locator(input).setInputFiles(file);

const before = {
  directory: (page, file) => put(page, "#directory", file),
  file: (page, file) => put(page, "#file", file),
  files: (page, file) => put(page, "#file", file),
  dropped: drop,
};

for (const [name, asked, ways] of [
  ["odd", questions.odd, ["directory", "dropped", "map", "handle"]],
  ["odd/", questions.odd, ["server"]],
  ["nested", questions.nested, ["directory"]],
  ["nested/", questions.nested, ["server"]],
  [
    "odd.oci.tar",
    questions.oddArchive,
    ["file", "files", "dropped", "buffer", "bytes", "server", "handle of a file"],
  ],
  ["odd.docker.tar", questions.oddArchive, ["file", "dropped", "buffer", "server"]],
  ["toc/estargz.tar", questions.toc, ["file"]],
  ["toc/zstdchunked.tar", questions.toc, ["file"]],
  ["debian", questions.debian, ["directory"]],
  ["debian.docker.tar", questions.debianArchive, ["file", "server"]],
]) {
  for (const way of ways) {
    test(`${name}: ${way}`, () =>
      inPage(async (page) => {
        await before[way]?.(page, fixture(name));
        const paths = way === "map" || way === "handle" ? [...filesOf(fixture(name)).keys()] : [];
        const found = await page.evaluate(
          ([way, thing, asked]) => window.page.outputs(way, thing, asked),
          [way, { name, paths }, asked],
        );
        const wanted = await expected(fixture(name).replace(/\/$/, ""), asked);
        for (const question of Object.keys(wanted)) assert.equal(found[question], wanted[question], question);
      }));
  }
}

test("edits are those of Node and of the command", () =>
  inPage(async (page) => {
    const copy = fresh("edited.tar");
    done(["copy", "--quiet", fixture("odd.oci.tar"), `oci-archive:${copy}`]);
    const epoch = { epoch: 1_700_000_000 };
    done(["config", copy, "--env", "A=b", "--cmd", "/bin/sh"], epoch);
    const hello = fresh("hello");
    mkdirSync(hello);
    writeFileSync(join(hello, "hello"), "hello\n");
    chmodSync(hello, 0o755);
    chmodSync(join(hello, "hello"), 0o755);
    utimesSync(join(hello, "hello"), 1_600_000_000, 1_600_000_000);
    done(["insert", `${copy}#pos=0`, hello, "/opt", "--tag", "new"], epoch);
    await put(page, "#file", fixture("odd.oci.tar"));
    const base64 = await page.evaluate(async () => {
      const store = await window.page.ocicle.open(await window.page.source("file"));
      const created = new Date(1_700_000_000_000);
      await store.configure(undefined, { env: { A: "b" }, cmd: ["/bin/sh"] }, { created });
      const file = new File(["hello\n"], "any", { lastModified: 1_600_000_000_000 });
      await store.insert("pos=0", "/opt", [{ path: "hello", content: file, mode: 0o755 }], {
        created,
        tag: "new",
      });
      const archive = await store.archive();
      store.close();
      return btoa(
        Array.from(new Uint8Array(await archive.arrayBuffer()), (byte) => String.fromCharCode(byte)).join(""),
      );
    });
    assert.ok(Buffer.from(base64, "base64").equals(readFileSync(copy)));
  }));

test("a worker or module that does not load", () =>
  inPage(async (page) => {
    const found = await page.evaluate(async () => {
      const { ocicle, outcome } = window.page;
      const source = new URL("/fixtures/odd.oci.tar", location.href);
      const none = () => new Worker("/absent.js", { type: "module" });
      const broken = () => new Worker("/test/server.mjs", { type: "module" });
      return [
        await outcome(ocicle.open(source, { worker: none })),
        await outcome(ocicle.open(source, { worker: broken })),
        await outcome(ocicle.open(source, { module: new Uint8Array([1, 2, 3]) })),
        await outcome(
          ocicle.open(source, { module: await (await fetch("/npm/dist/wasm/ocicle_bg.wasm")).arrayBuffer() }),
        ),
        await outcome(
          ocicle.open(source, { worker: () => new Worker("/npm/dist/worker.js", { type: "module" }) }),
        ),
      ];
    });
    for (const failed of found.slice(0, 2))
      assert.deepEqual(failed, {
        name: "OcicleError",
        kind: "io",
        message: "the worker ended: it did not load",
      });
    assert.equal(found[2].kind, "io");
    assert.match(found[2].message, /^the wasm module of ocicle did not load: CompileError/);
    assert.deepEqual(found.slice(3), ["done", "done"]);
  }, /404|server\.mjs|node:/));

test("a module that the server does not have, and then has", () =>
  inPage(async (page) => {
    const open = () =>
      page.evaluate(() =>
        window.page.outcome(window.page.ocicle.open(new URL("/fixtures/odd.oci.tar", location.href))),
      );
    state.bad = (request, response) => request.url.endsWith(".wasm") && !!response.writeHead(404).end();
    const { kind, message } = await open();
    assert.equal(kind, "io");
    assert.match(message, /^the wasm module of ocicle did not load: /);
    state.bad = () => false;
    assert.equal(await open(), "done");
  }, /404/));

test("servers, paths and sources that are wrong", () =>
  inPage(async (page) => {
    const open = (path) =>
      page.evaluate(
        (path) => window.page.outcome(window.page.ocicle.open(new URL(path, location.href))),
        path,
      );
    const fails = async (path, kind, message) => {
      const found = await open(path);
      assert.equal(found.kind, kind, JSON.stringify(found));
      assert.match(found.message, message);
    };
    await fails("/fixtures/absent.tar", "io", /the server answered 404$/);
    await fails("/fixtures/absent/", "notFound", /^oci-layout not found/);
    await fails("http://localhost:1/a.tar", "io", /a\.tar: the server cannot be reached, or .*CORS/);
    state.bad = (request) => void delete request.headers.range;
    await fails("/fixtures/odd.oci.tar", "unsupported", /Range/);
    await fails("/fixtures/odd/", "io", /the server answered 200, expected 206$/);
    state.bad = (request, response) =>
      request.method === "HEAD" && !!response.writeHead(200, { "Transfer-Encoding": "chunked" }).end();
    await fails("/fixtures/odd/", "io", /the server sends no Content-Length/);
    state.bad = (request, response) =>
      request.url.startsWith("/fixtures/") && !!response.writeHead(500).end();
    await fails("/fixtures/odd/", "io", /the server answered 500$/);
    const path = await page.evaluate(() => window.page.outcome(window.page.ocicle.open("/etc/passwd")));
    assert.deepEqual(
      [path.kind, path.message],
      ["misuse", "a browser cannot open a path: expected a File or a URL"],
    );
  }, /Failed to load resource|Content Security Policy|ERR_|violates/));

test("a broken layer, and a file that is removed", () =>
  inPage(async (page) => {
    const { layers } = JSON.parse(done(["stat", "--json", `${fixture("odd")}#odd`])).manifest;
    const paths = [...filesOf(fixture("odd")).keys()];
    const found = await page.evaluate(
      async ([thing, broken]) => {
        const { ocicle, source, outcome } = window.page;
        const files = await source("map", thing);
        const bytes = new Uint8Array(await files.get(broken).arrayBuffer());
        bytes[bytes.length - 3] ^= 1;
        const store = await ocicle.open(files.set(broken, new Blob([bytes])));
        const image = await store.image("odd");
        await image.verify();
        const { total } = await image.rows({}, 0, 1);
        const result = {
          layers: image.layers.map(({ state, error }) => error ?? state),
          total,
          waste: await outcome(image.waste()),
        };
        store.close();
        result.later = await outcome(store.list());
        return result;
      },
      [{ name: "odd", paths }, `blobs/${layers[1].digest.replace(":", "/")}`],
    );
    assert.deepEqual(
      [found.layers[0], found.layers[1].kind, found.layers[2]],
      ["verified", "corrupt", "verified"],
    );
    assert.match(found.layers[1].message, /digest mismatch/);
    assert.equal(found.waste.message, found.layers[1].message);
    assert.ok(found.total > 10);
    assert.deepEqual([found.later.name, found.later.message], ["AbortError", "the store was closed"]);
  }));

test("long calls are stopped", () =>
  inPage(async (page) => {
    await put(page, "#file", fixture("debian.docker.tar"));
    const found = await page.evaluate(async () => {
      const { ocicle, source, outcome } = window.page;
      const store = await ocicle.open(await source("file"));
      const image = await store.image();
      const results = {};
      for (const [what, run] of Object.entries({
        verify: (options) => image.verify(options),
        check: (options) => store.check(options),
        archive: (options) => store.archive(options),
      })) {
        const control = new AbortController();
        results[what] = await outcome(
          run({ signal: control.signal, onProgress: () => control.abort(new Error("stopped")) }),
        );
      }
      await image.verify();
      results.later = image.layers.map(({ state }) => state);
      store.close();
      return results;
    });
    for (const what of ["verify", "check", "archive"]) assert.equal(found[what].message, "stopped", what);
    assert.deepEqual(found.later, ["verified"]);
  }));
