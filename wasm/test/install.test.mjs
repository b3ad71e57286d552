/** The published package: installed, run in Node, in a page, through a bundler, and type-checked. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { launch, visit } from "./chromium.mjs";
import { done, fixture, fresh } from "./native.mjs";
import { serve } from "./server.mjs";
import { require } from "./tools.mjs";

/** Returns the path of a program of a package. */
function tool(name, bin = name) {
  const file = require.resolve(`${name}/package.json`);
  return join(dirname(file), JSON.parse(readFileSync(file)).bin[bin]);
}

const app = fresh("app");
mkdirSync(app);
writeFileSync(join(app, "package.json"), '{ "private": true, "type": "module" }');
const installed = join(app, "node_modules/ocicle");

test("npm installs it, with nothing else", () => {
  execFileSync(
    "npm",
    ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", process.env.OCICLE_NPM_TARBALL],
    { cwd: app, stdio: "pipe" },
  );
  const {
    scripts = {},
    dependencies,
    optionalDependencies,
    license,
  } = JSON.parse(readFileSync(join(installed, "package.json")));
  assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
  for (const step of ["preinstall", "install", "postinstall", "prepare"])
    assert.equal(scripts[step], undefined);
  assert.equal(license, "MIT OR Apache-2.0");
  for (const file of [
    "README.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "dist/index.js",
    "dist/index.d.ts",
    "dist/worker.js",
    "dist/wasm/ocicle_bg.wasm",
  ]) {
    assert.ok(existsSync(join(installed, file)), file);
  }
  // Source maps refer to sources in the package.
  const map = JSON.parse(readFileSync(join(installed, "dist/store.js.map")));
  for (const source of map.sources) assert.ok(existsSync(join(installed, "dist", source)), source);
});

test("the example of the README runs", () => {
  const [, example] = /```js\n(.*?)```/s.exec(readFileSync(join(installed, "README.md"), "utf8"));
  writeFileSync(join(app, "look.mjs"), example);
  const look = (...words) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["look.mjs", ...words], {
      cwd: app,
      timeout: 30_000,
      encoding: "utf8",
    });
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout;
  };
  const wasted = (reference) => {
    const { hidden } = JSON.parse(done(["waste", "--json", reference]));
    return new RegExp(`\\n${hidden} wasted bytes`);
  };
  const two = fresh("two-tags.tar");
  done(["copy", "--quiet", fixture("odd.oci.tar"), `oci-archive:${two}`]);
  done(["tag", `${two}#pos=0`, "second"]);
  for (const store of [fixture("odd.oci.tar"), fixture("odd.docker.tar"), two]) {
    const stdout = look(store);
    assert.match(stdout, /\n {4}passwd 65 layer 1\n/);
    assert.match(stdout, wasted(`${store}#pos=0`));
  }
  // The first is an index of several platforms.
  look(fixture("nested"));
  assert.match(look(fixture("odd"), "gnu"), wasted(`${fixture("odd")}#gnu`));
});

/** A page that lists the images of an archive, and the files of one. */
const program = (specifier) => `
  import { open } from ${JSON.stringify(specifier)};
  const store = await open(new URL("/fixtures/odd.oci.tar", location.href));
  const image = await store.image();
  await image.verify();
  const { entries } = await store.list();
  const { total } = await image.rows({}, 0, 1);
  document.title = JSON.stringify([entries.length, total, image.layers.map(({ state }) => state)]);
`;

const shown = JSON.stringify([1, 38, ["verified", "verified", "verified"]]);

async function works(places, path) {
  const server = await serve({ "fixtures/": fixture(""), ...places });
  const browser = await launch();
  try {
    const { page, faults } = await visit(browser, `${server.url}${path}`);
    await page.waitForFunction(() => document.title.startsWith("[")).catch(() => {});
    assert.deepEqual(faults, []);
    assert.equal(await page.title(), shown);
    return server.asked;
  } finally {
    await browser.close();
    await server.close();
  }
}

const html = (script) => ({
  type: "text/html",
  text: `<!doctype html><meta charset="utf-8"><title>-</title><link rel="icon" href="data:,">${script}`,
});

test("a page imports it as it is", async () => {
  const page = html(`<script type="module">${program("./node_modules/ocicle/dist/index.js")}</script>`);
  await works({ "app/page.html": page, "app/": app }, "app/page.html");
});

test("Vite bundles it", async () => {
  const root = join(app, "vite");
  mkdirSync(root);
  writeFileSync(join(root, "index.html"), html('<script type="module" src="/main.js"></script>').text);
  writeFileSync(join(root, "main.js"), program("ocicle"));
  writeFileSync(join(root, "vite.config.js"), 'export default { base: "./", build: { target: "es2022" } };');
  execFileSync(process.execPath, [tool("vite"), "build", "--logLevel", "warn"], { cwd: root, stdio: "pipe" });
  // In any directory of a server, without the sources.
  const asked = await works({ "some/where/": join(root, "dist") }, "some/where/index.html");
  assert.ok(
    asked.some((request) => /^GET \/some\/where\/assets\/.*\.wasm/.test(request)),
    asked.join("\n"),
  );
  assert.ok(
    asked.some((request) => /^GET \/some\/where\/assets\/worker.*\.js/.test(request)),
    asked.join("\n"),
  );
});

/** Returns the compiler's errors for a program, in Node or with a bundler. */
function compiled(text, resolution) {
  const file = join(app, "types.ts");
  writeFileSync(file, text);
  const module = resolution === "bundler" ? "esnext" : "nodenext";
  const options = [
    "--noEmit",
    "--strict",
    "--target",
    "es2022",
    "--lib",
    "es2023,dom,dom.iterable",
    "--types",
    "",
    "--exactOptionalPropertyTypes",
  ];
  const { stdout } = spawnSync(
    process.execPath,
    [
      tool("typescript", "tsc"),
      "--ignoreConfig",
      ...options,
      "--module",
      module,
      "--moduleResolution",
      resolution,
      file,
    ],
    { cwd: app, encoding: "utf8" },
  );
  return stdout;
}

const RIGHT = `
  import { open, fromDataTransfer, OcicleError } from "ocicle";
  import type { Row, Listing, Source, RowQuery } from "ocicle";
  const source: Source = new Map([["oci-layout", new Uint8Array()]]);
  const control = new AbortController();
  const store = await open(source, { kind: "oci", signal: control.signal, workers: 2 });
  const listing: Listing = await store.list();
  const image = await store.image(listing.entries[0]?.selector);
  const query: RowQuery = { layer: 1, changes: ["added"], sort: "size" };
  const rows: Row[] = (await image.rows(query, 0, 10)).rows;
  await image.verify({ onProgress: ({ done, total }) => console.log(done / total) });
  const texts: string[] = [await (await image.read("/a")).text(), rows[0]?.path ?? ""];
  await store.configure(undefined, { env: { A: "b" } }, { tag: "v2", created: new Date() });
  await store.insert("v2", "/srv", [{ path: "a", content: "a", mode: 0o755 }]);
  const archive: Blob = await store.archive();
  addEventListener("drop", async ({ dataTransfer }) => {
    if (dataTransfer) await open(await fromDataTransfer(dataTransfer));
  });
  try { store.close(); } catch (error) {
    if (error instanceof OcicleError && error.kind === "corrupt") console.log(texts, archive.size);
  }
`;

const WRONG = `
  import { open } from "ocicle";
  const store = await open(5);
  const image = await store.image(1);
  const size: string = (await image.rows({}, 0, 1)).total;
  await image.rows({ serach: "x" }, 0, 1);
  await store.insert("a", "/", [{ path: "x" }]);
  image.digest = "x";
`;

for (const resolution of ["bundler", "nodenext"]) {
  test(`types: ${resolution}`, () => {
    assert.equal(compiled(RIGHT, resolution), "");
    // One error for each wrong line.
    const said = compiled(WRONG, resolution);
    const lines = [...said.matchAll(/^types\.ts\((\d+),\d+\): error/gm)].map(([, line]) => Number(line));
    assert.deepEqual(lines, [3, 4, 5, 6, 7, 8], said);
  });
}

test("results have the declared types", async () => {
  const { open } = await import(join(installed, "dist/node.js"));
  const store = await open(fixture("odd"));
  const nested = await open(fixture("nested"));
  const [odd, gnu] = [await store.image("odd"), await store.image("gnu")];
  await gnu.verify();
  const values = {
    Listing: [await store.list(), await nested.list()],
    Resolution: [
      await store.resolve("odd"),
      await nested.resolve("multi//platform=linux/arm64"),
      await nested.resolve("pos=10"),
    ],
    Stat: [await odd.stat(), await (await nested.image("multi//platform=linux/arm64")).stat()],
    Files: [await odd.files(), await gnu.files({ layer: 2 }), await gnu.files({ layer: 4 })],
    Why: [await odd.why("/etc/group"), await odd.why("/gone/below/file")],
    Waste: [await odd.waste()],
    Compared: [await store.diff(odd, gnu), await store.diff(gnu, odd, { semantic: true })],
    CheckReport: [await store.check(), await nested.check()],
    Page: [
      await odd.rows({}, 0, 100),
      await odd.rows({ layer: 2 }, 0, 100),
      await odd.rows({ wasted: true }, 0, 100),
    ],
    Box: [await odd.treemap(), await odd.treemap({ by: "layer", parts: 2 })],
    Layer: [...odd.layers],
  };
  store.close();
  nested.close();
  // As literals, so that a key that the type does not have is an error.
  const lines = Object.entries(values).flatMap(([type, values]) =>
    values.map(
      (value, at) => `export const ${type.toLowerCase()}${at}: ocicle.${type} = ${JSON.stringify(value)};`,
    ),
  );
  assert.equal(compiled(`import type * as ocicle from "ocicle";\n${lines.join("\n")}\n`, "bundler"), "");
});
