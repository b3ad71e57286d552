/** Repositories of registries, in Node: the answers are those of the command. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { expected } from "./ask.mjs";
import { elsewhere, inFrontOf } from "./front.mjs";
import { done, open, OcicleError, variable } from "./native.mjs";
import { outputs } from "./outputs.mjs";
import { ofRegistry } from "./questions.mjs";

const at = (name) => `docker://${variable("OCICLE_REGISTRY")}/${name}`;

async function fails(promise, kind, message) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof OcicleError, error.stack);
    assert.match(error.message, message);
    assert.equal(error.kind, kind);
    return true;
  });
}

for (const [name, asked] of Object.entries(ofRegistry)) {
  test(`${name}: the answers are those of the command`, async () => {
    const found = await outputs(open, at(name), asked);
    const wanted = await expected(at(name), asked);
    for (const question of Object.keys(wanted)) assert.equal(found[question], wanted[question], question);
  });
}

test("a tag, a digest, and a URL", async () => {
  const stat = JSON.parse(done(["stat", "--json", at("odd:odd")]));
  const { digest } = stat.descriptor;
  const untagged = JSON.parse(done(["stat", "--json", at(`odd@${digest}`)]));
  const sources = [at("odd:odd"), new URL(at("odd:odd")), at(`odd@${digest}`), at(`odd:gnu@${digest}`)];
  for (const source of sources) {
    const store = await open(source);
    assert.equal(store.kind, "registry");
    const { entries } = await store.list();
    assert.deepEqual(
      entries.map((entry) => entry.digest),
      [digest],
    );
    const image = await store.image();
    assert.deepEqual(await image.stat(), entries[0].tag === null ? untagged : stat);
    assert.equal((await store.blob(stat.manifest.config.digest)).byteLength, stat.manifest.config.size);
    assert.equal((await store.blob(digest)).byteLength, stat.descriptor.size);
    store.close();
  }
});

test("edits stay in memory, and an archive has them", async () => {
  const store = await open(at("odd:odd"));
  const before = done(["resolve", at("odd:odd")]);
  const digest = await store.configure(undefined, { env: { A: "b" } }, { tag: "new" });
  const archive = await open(await store.archive());
  assert.equal((await archive.image("new")).digest, digest);
  assert.equal((await archive.check()).findings.length, 0);
  assert.equal(done(["resolve", at("odd:odd")]), before);
  archive.close();
  store.close();
});

test("what is not there, and what is not a reference", async () => {
  await fails(open(at("odd:absent")), "notFound", /odd:absent not found$/);
  await fails(open(at("odd:odd//platform=linux/arm64")), "misuse", /a selector is an argument of `image`$/);
  await fails(open("docker://odd"), "misuse", /expected HOST\/REPOSITORY/);
  await fails(open(at("odd"), { kind: "oci" }), "misuse", /is a registry, not "oci"$/);
  const store = await open(at("absent"));
  await fails(store.list(), "notFound", /absent not found$/);
  await fails(store.image("v1"), "notFound", /v1/);
  store.close();
  await fails(open("docker://localhost:1/a:v1"), "io", /^GET https:\/\/localhost:1\/v2\/: fetch failed: /);
});

test("a token for anyone, and a repository that needs a password", async () => {
  const host = variable("OCICLE_REGISTRY_TOKENS");
  const store = await open(`docker://${host}/public/nested`);
  assert.deepEqual(await store.list(), JSON.parse(done(["ls", "--json", at("nested")])));
  store.close();
  await fails(
    open(`docker://${host}/team/nested:v1`),
    "io",
    /\(status 401\).*the package has no credentials, the command `ocicle` has$/,
  );
});

/** Starts a server in front of the registry. `bad` may answer in its place. */
const before = (test, bad) => inFrontOf(test, variable("OCICLE_REGISTRY"), { bad });

test("a layer is fetched in windows, and sizes of documents are known", async (t) => {
  const server = await before(t, () => false);
  const store = await open(`docker://${server.host}/debian:debian`);
  const image = await store.image();
  await image.verify();
  assert.deepEqual(
    image.layers.map(({ state }) => state),
    ["verified"],
  );
  const most = server.requests
    .map(({ headers }) => /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? ""))
    .map((range) => (range === null ? 0 : range[2] - range[1] + 1));
  assert.ok(Math.max(...most) <= 8 << 20);
  assert.ok(server.requests.every(({ method, headers }) => method === "HEAD" || headers.range));
  const blob = image.layers[0].digest;
  const windows = server.requests.filter(({ url }) => url.endsWith(blob)).length;
  assert.ok(windows >= Math.ceil(image.layers[0].size / (8 << 20)), `${windows} requests`);
  store.close();
});

test("a server without ranges", async (t) => {
  const store = await open(at("nested"));
  const expectedList = await store.list();
  store.close();
  const whole = await before(t, (request) => void delete request.headers.range);
  const found = await open(`docker://${whole.host}/nested`);
  assert.deepEqual(await found.list(), expectedList);
  assert.equal((await found.check()).findings.length, 0);
  found.close();
});

test("the token is not sent on to the server that has the blobs", async (t) => {
  const registry = variable("OCICLE_REGISTRY_TOKENS");
  const server = await elsewhere(t, registry, variable("OCICLE_REGISTRY"));
  const store = await open(`docker://${server.host}/public/nested:v1`);
  assert.equal((await store.check()).findings.length, 0);
  store.close();
  const [here, there] = [server.here(), server.there()];
  assert.ok(here.length > 0 && here.every((authorization) => authorization?.startsWith("Bearer ")));
  assert.ok(there.length > 0 && there.every((authorization) => authorization === undefined));
});

test("a server that fails for a moment", async (t) => {
  let failures = 2;
  const server = await before(
    t,
    (request, response) =>
      request.url.includes("/manifests/") && failures-- > 0 && !!response.writeHead(503).end(),
  );
  const store = await open(`docker://${server.host}/odd:odd`);
  assert.equal((await store.list()).entries.length, 1);
  store.close();
});
