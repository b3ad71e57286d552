/**
 * The rows of the file tree, compared with the lists of the command: pages are complete, and totals add up.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { done, fixture, native, open } from "./native.mjs";

/** The memory limit for 100,000 files. */
const MOST_MEMORY = 200 << 20;

const json = (...words) => JSON.parse(done([words[0], "--json", ...words.slice(1)]));

/** Returns all rows of a query, read in pages of this size. */
async function all(image, query, size) {
  const { total } = await image.rows(query, 0, 0);
  const rows = [];
  while (rows.length < total) {
    const page = await image.rows(query, rows.length, size);
    assert.equal(page.total, total);
    assert.equal(page.rows.length, Math.min(size, total - rows.length));
    rows.push(...page.rows);
  }
  assert.deepEqual((await image.rows(query, total, size)).rows, []);
  return rows;
}

/** Checks that rows are a tree in order: depth, positions among siblings, open directories. */
function assertTree(rows) {
  const way = [];
  const places = new Map();
  for (const [number, row] of rows.entries()) {
    way.length = row.depth;
    const above = way.at(-1);
    assert.equal(row.depth === 0, number === 0, row.path);
    if (above !== undefined) {
      assert.ok(above.open && row.path.startsWith(above.path === "/" ? "/" : `${above.path}/`), row.path);
      assert.equal(row.path, (above.path === "/" ? "/" : `${above.path}/`) + row.name);
      places.set(above.path, (places.get(above.path) ?? 0) + 1);
      assert.equal(row.position, places.get(above.path), row.path);
      assert.equal(row.siblings, above.entries, row.path);
    }
    way.push(row);
  }
  for (const row of rows) if (row.open) assert.equal(places.get(row.path) ?? 0, row.entries, row.path);
}

/** Returns these paths, and the directories above them. */
function withWays(paths) {
  const found = new Set(["/"]);
  for (const path of paths) {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) found.add(path.slice(0, end));
  }
  return [...found].sort();
}

const sorted = (rows) => rows.map(({ path }) => path).sort();

const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1).toLowerCase();

const kept = new Map();

/** Returns an image with the command's answers about it; opened once. */
function opened(name, fragment) {
  if (!kept.has(name)) kept.set(name, look(name, fragment));
  return kept.get(name);
}

test.after(async () => {
  for (const { store } of await Promise.all(kept.values())) store.close();
});

async function look(name, fragment) {
  const at = `${fixture(name)}#${fragment}`;
  const store = await open(fixture(name));
  const image = await store.image(fragment);
  await image.verify();
  const { files } = json("files", at);
  return {
    store,
    image,
    at,
    files,
    waste: json("waste", at),
    directories: files.filter(({ type }) => type === "dir").map(({ path }) => path),
  };
}

for (const [name, fragment, size, term] of [
  ["odd", "odd", 7, "E"],
  ["many", "top", 9000, "99"],
]) {
  test(`${name}: every path has its row`, async () => {
    const { store, image, files, waste, directories } = await opened(name, fragment);
    const query = { open: directories };
    const rows = await all(image, query, size);
    assertTree(rows);
    assert.deepEqual(sorted(rows), sorted(files));
    const facts = new Map(files.map((file) => [file.path, file]));
    for (const row of rows) {
      const fact = facts.get(row.path);
      for (const key of ["layer", "type", "mode", "uid", "gid", "mtime", "target", "nlink"]) {
        assert.equal(row[key], fact[key], `${row.path}: ${key}`);
      }
      if (row.type !== "dir") assert.equal(row.size, fact.size, row.path);
      assert.equal(row.exists, true);
    }
    // The total of the root is what the layers store of the merged file system.
    const page = await image.rows(query, 0, 1);
    assert.equal(page.files, files.filter(({ type }) => type === "file").length);
    assert.deepEqual(
      [page.bytes, page.rows[0].size, page.rows[0].hidden],
      [waste.visible, waste.visible, waste.hidden],
    );

    // Only the root is open; then one more directory.
    const closed = await all(image, {}, size);
    assert.deepEqual(
      sorted(closed),
      files
        .filter(({ path }) => path.lastIndexOf("/") === 0)
        .map(({ path }) => path)
        .sort(),
    );
    const one = closed.find(
      ({ depth, type, entries }) => depth === 1 && type === "dir" && entries > 0 && entries < 200,
    );
    assert.equal((await image.rows({ open: [one.path] }, 0, 0)).total, closed.length + one.entries);

    // By size, the largest first; the same rows.
    const bySize = await all(image, { ...query, sort: "size" }, size);
    assertTree(bySize);
    assert.deepEqual(sorted(bySize), sorted(rows));
    const last = new Map();
    for (const { depth, position, size: bytes, path } of bySize) {
      assert.ok(position === 1 || bytes <= last.get(depth), path);
      last.set(depth, bytes);
    }

    // Positions.
    for (const sort of ["name", "size"]) {
      const list = sort === "name" ? rows : bySize;
      for (let at = 0; at < list.length; at += Math.ceil(list.length / 15))
        assert.equal(await image.position({ ...query, sort }, list[at].path), at);
    }
    assert.equal(await image.position(query, "/not/there"), undefined);
    const inside = rows.find(({ depth }) => depth === 2);
    assert.equal(await image.position({}, inside.path), undefined);
    assert.equal(JSON.stringify((await image.files()).files), JSON.stringify(files));

    const memory = await store.memory();
    console.log(`${name}: ${rows.length} rows, ${memory} bytes of memory`);
    assert.ok(memory < MOST_MEMORY, `${memory} bytes`);
  });

  test(`${name}: rows that are asked for`, async () => {
    const { store, image, at, files, waste } = await opened(name, fragment);

    const matches = files.filter(({ path }) => nameOf(path).includes(term.toLowerCase()));
    assert.ok(matches.length > 3 && matches.length < files.length);
    const searched = await all(image, { search: term }, size);
    assertTree(searched);
    assert.deepEqual(sorted(searched), withWays(sorted(matches)));
    assert.equal(
      (await image.rows({ search: term }, 0, 0)).files,
      matches.filter(({ type }) => type === "file").length,
    );
    assert.equal((await image.rows({ search: "" }, 0, 0)).total, (await image.rows({}, 0, 0)).total);
    assert.deepEqual(sorted((await image.rows({ search: "no such name" }, 0, 9)).rows), ["/"]);
    const folded = searched.find(({ depth, entries }) => depth === 1 && entries > 0);
    const rest = searched.filter(({ path }) => !path.startsWith(`${folded.path}/`));
    assert.deepEqual(sorted(await all(image, { search: term, closed: [folded.path] }, size)), sorted(rest));

    const wasted = await all(image, { wasted: true }, size);
    assertTree(wasted);
    assert.deepEqual(sorted(wasted), withWays(waste.paths.map(({ path }) => path)));
    assert.deepEqual([wasted[0].size, wasted[0].hidden], [waste.hidden, waste.hidden]);
    const hidden = new Map(waste.paths.map(({ path, hidden }) => [path, hidden]));
    for (const row of wasted) if (row.entries === 0) assert.equal(row.hidden, hidden.get(row.path), row.path);
    const gone = wasted.filter(({ exists }) => !exists);
    assert.ok(gone.length > 0);
    for (const row of gone.slice(0, 50)) {
      const puts = (await image.why(row.path)).deeds.filter(({ what }) => what !== "removed");
      assert.equal(row.layer, puts.at(-1).layer, row.path);
      assert.equal(row.type, row.entries > 0 ? "dir" : "file", row.path);
      if (row.type !== "file") continue;
      const read = await image.read(row.path, { layer: row.layer });
      const octal = (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 8));
      const plain = row.path.replaceAll(/\\\d{3}/g, octal);
      const printed = native(["cat", "--layer", `${row.layer}`, at, plain]).stdout;
      assert.ok(printed.equals(Buffer.from(await read.arrayBuffer())), row.path);
    }

    for (const pattern of [`*${term}*`, "*[0-8]", "f?le", "*/file*", "*\\[*", "{group,old}"]) {
      const found = json("find", "--ignore-case", "--name", pattern, at).found.map(({ path }) =>
        // A row has the path that the layer's leads to.
        path.replace("/directory-link/", "/etc/"),
      );
      const rows = await all(image, { name: pattern }, size);
      assertTree(rows);
      assert.deepEqual(sorted(rows), withWays(found), pattern);
    }

    for (const { layer, stored, hidden } of waste.layers) {
      // The last change of a layer to each path.
      const changesIn = new Map(
        json("files", "--layer", `${layer}`, at).files.map(({ path, change }) => [path, change]),
      );
      const ofLayer = {
        layer,
        search: "",
        open: withWays([...changesIn.keys()].map((path) => path.slice(0, path.lastIndexOf("/")))),
      };
      const rows = await all(image, ofLayer, size);
      assertTree(rows);
      assert.deepEqual(sorted(rows), withWays(changesIn.keys()));
      for (const row of rows) {
        assert.equal(row.change, changesIn.get(row.path), row.path);
        assert.equal(row.layer, layer);
      }
      // Here, a name that a layer has twice counts once; there, as often as it is stored.
      const page = await image.rows(ofLayer, 0, 0);
      if (name === "many") assert.equal(page.bytes, stored);
      for (const change of new Set(changesIn.values())) {
        const paths = [...changesIn].filter(([, other]) => other === change).map(([path]) => path);
        const page = await image.rows({ layer, changes: [change] }, 0, 300);
        assert.equal(page.total, withWays(paths).length, change);
        for (const row of page.rows)
          if (row.change !== undefined && row.entries === 0) assert.equal(row.change, change, row.path);
      }
      assert.equal((await image.rows({ layer, wasted: true }, 0, 1)).rows[0].size, hidden);
    }
    assert.ok((await store.memory()) < MOST_MEMORY);
  });

  test(`${name}: a treemap adds up`, async () => {
    const { image, files, waste } = await opened(name, fragment);
    const add = ({ size, rest = 0, children = [], path }) => {
      assert.equal(
        children.reduce((sum, child) => sum + child.size, rest),
        children.length > 0 || rest > 0 ? size : 0,
        path,
      );
      for (const [at, child] of children.entries())
        if (at > 0) assert.ok(child.size <= children[at - 1].size, child.path);
      return 1 + children.reduce((sum, child) => sum + add(child), 0);
    };
    const boxes = await image.treemap();
    assert.equal(boxes.size, waste.visible);
    assert.ok(add(boxes) <= 3000);
    const finer = await image.treemap({ parts: 1_000_000 });
    assert.ok(add(finer) >= add(boxes));
    const layers = await image.treemap({ by: "layer" });
    assert.deepEqual(
      layers.children.map(({ name, layer }) => [name, layer]),
      waste.layers.map(({ layer }) => [`layer ${layer}`, layer]),
    );
    for (const child of layers.children) add(child);
    assert.equal(
      layers.size,
      layers.children.reduce((sum, { size }) => sum + size, 0),
    );
    const one = boxes.children.find(({ children }) => children?.length > 0);
    if (one !== undefined) assert.equal((await image.treemap({ path: one.path })).size, one.size);
    const paths = new Set(files.map(({ path }) => path));
    const known = ({ path, children = [] }) => paths.has(path) && children.every(known);
    assert.ok(known(boxes));
  });
}

test("listing does not distinguish copies from changed content", async () => {
  const store = await open(fixture("many"));
  const image = await store.image("top");
  const changesIn = ({ files }) => files.map(({ path, change }) => [path, change]);
  const verified = changesIn(json("files", "--layer", "2", `${fixture("many")}#top`));
  assert.ok(verified.some(([, change]) => change === "attributes"));
  const listed = verified.map(([path, change]) => [path, change === "attributes" ? "replaced" : change]);
  assert.deepEqual(changesIn(await image.files({ layer: 2 })), listed);
  await image.verify();
  assert.deepEqual(changesIn(await image.files({ layer: 2 })), verified);
  store.close();
});

test("a file that a layer wrote through a link is read at its path", async () => {
  const { image } = await opened("odd", "odd");
  const read = await image.read("/etc/new", { layer: 2 });
  assert.equal(await read.text(), "through a link of the layer below\n");
});

test("paths of rows are accepted by other calls", async () => {
  const { image, files } = await opened("odd", "odd");
  let escaped = 0;
  for (const { path, type, size } of files.slice(1)) {
    escaped += path.includes("\\") ? 1 : 0;
    assert.deepEqual((await image.files({ path })).files[0].path, path);
    assert.equal((await image.why(path)).path, path);
    if (type === "file") assert.equal((await image.read(path)).size, size, path);
  }
  assert.equal(escaped, 3, "a backslash, a newline, and no UTF-8");
});
