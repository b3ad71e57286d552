/** Repositories of registries, in Chromium. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { expected } from "./ask.mjs";
import { start } from "./chromium.mjs";
import { variable } from "./native.mjs";
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
