/** Repositories of registries, in Chromium. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { expected } from "./ask.mjs";
import { start } from "./chromium.mjs";
import { elsewhere, inFrontOf } from "./front.mjs";
import { done, variable } from "./native.mjs";
import { ofRegistry } from "./questions.mjs";

const { inPage, close } = await start();
test.after(close);

const at = (name) => `docker://${variable("OCICLE_REGISTRY")}/${name}`;

/** A browser reports each request that fails, such as those over HTTPS to a server without it. */
const FAILED = /Failed to load resource|CORS policy|ERR_/;

for (const [name, asked] of Object.entries(ofRegistry)) {
  test(`${name}: the answers are those of the command`, () =>
    inPage(async (page) => {
      const found = await page.evaluate(
        ([thing, questions]) => window.page.outputs("registry", thing, questions),
        [{ name: at(name) }, asked],
      );
      const wanted = await expected(at(name), asked);
      for (const question of Object.keys(wanted)) assert.equal(found[question], wanted[question], question);
    }, FAILED));
}

test("registries that a page cannot read", () =>
  inPage(async (page) => {
    const fails = async (name, message) => {
      const found = await page.evaluate(
        (name) => window.page.outcome(window.page.ocicle.open(new URL(name))),
        name,
      );
      assert.equal(found.kind, "io", JSON.stringify(found));
      assert.match(found.message, message);
    };
    const unreadable = /the server cannot be reached, or .* \(CORS\): it has to send Access-Control-Allow-/;
    await fails(`docker://${variable("OCICLE_REGISTRY_CLOSED")}/nested:v1`, unreadable);
    await fails("docker://localhost:1/nested:v1", unreadable);
    const path = await page.evaluate(() => window.page.outcome(window.page.ocicle.open("/etc/passwd")));
    assert.equal(path.kind, "misuse");
  }, FAILED));

/** Allows pages to read, and to see these headers. */
const readable = (shown, change = () => {}) => ({
  bad: (request, response) =>
    request.method === "OPTIONS" &&
    !!response
      .writeHead(200, {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "Accept, Authorization, Range",
      })
      .end(),
  change: (headers) => {
    headers.set("Access-Control-Allow-Origin", "*");
    headers.set("Access-Control-Expose-Headers", shown);
    change(headers);
  },
});

const SHOWN = "Content-Range, Docker-Content-Digest, Link, WWW-Authenticate";

/** Returns the list of a repository, or the error. */
const listIn = (page, name) =>
  page.evaluate(async (name) => {
    try {
      const store = await window.page.ocicle.open(name);
      const list = await store.list();
      store.close();
      return list;
    } catch ({ kind, message }) {
      return { kind, message };
    }
  }, name);

/** Starts a server in front of the token server, and returns the change that names it. */
async function tokens(t) {
  const answer = await fetch(`http://${variable("OCICLE_REGISTRY_TOKENS")}/v2/`);
  const realm = new URL(/realm="([^"]*)"/.exec(answer.headers.get("www-authenticate"))[1]);
  const { url } = await inFrontOf(t, realm.host, readable(""));
  return (headers) => {
    const found = headers.get("www-authenticate");
    if (found !== null) headers.set("www-authenticate", found.replace(`${realm.origin}/`, url));
  };
}

test("a token for anyone, and a repository that needs a password", (t) =>
  inPage(async (page) => {
    const registry = variable("OCICLE_REGISTRY_TOKENS");
    const { host } = await inFrontOf(t, registry, readable(SHOWN, await tokens(t)));
    assert.deepEqual(
      await listIn(page, `docker://${host}/public/nested`),
      JSON.parse(done(["ls", "--json", at("nested")])),
    );
    const refused = await listIn(page, `docker://${host}/team/nested:v1`);
    assert.equal(refused.kind, "io");
    assert.match(refused.message, /\(status 401\).*the package has no credentials/);
  }, FAILED));

test("the token is not sent on to the server that has the blobs", (t) =>
  inPage(async (page) => {
    const [registry, open] = [variable("OCICLE_REGISTRY_TOKENS"), variable("OCICLE_REGISTRY")];
    const server = await elsewhere(t, registry, open, readable(SHOWN, await tokens(t)));
    const findings = await page.evaluate(async (name) => {
      const store = await window.page.ocicle.open(name);
      return (await store.check()).findings;
    }, `docker://${server.host}/public/nested:v1`);
    assert.deepEqual(findings, []);
    const [here, there] = [server.here(), server.there()];
    assert.ok(here.length > 0 && here.every((authorization) => authorization?.startsWith("Bearer ")));
    assert.ok(there.length > 0 && there.every((authorization) => authorization === undefined));
  }, FAILED));

test("a registry that hides what part of a blob it sends", (t) =>
  inPage(async (page) => {
    const hiding = await inFrontOf(t, variable("OCICLE_REGISTRY"), readable("Docker-Content-Digest"));
    const { kind, message } = await page.evaluate(
      (name) => window.page.outcome(window.page.ocicle.open(name).then((store) => store.image())),
      `docker://${hiding.host}/odd:odd`,
    );
    assert.equal(kind, "io");
    assert.match(message, /206 without the header content-range, or hides it .*Access-Control-Expose-/);
  }, FAILED));
