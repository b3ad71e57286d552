/** The browser under test, and pages with the package. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

import { fixture, npm } from "./native.mjs";
import { serve } from "./server.mjs";
import { require } from "./tools.mjs";

const { chromium } = require("playwright-core");

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });

/** A page at an address. `faults` has its errors and warnings. */
export async function visit(browser, url) {
  const page = await browser.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}

/** Has the policy that the README recommends. */
const POLICY =
  "default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

const PAGE = `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>ocicle</title>
<link rel="icon" href="data:,">
<input id="directory" type="file" webkitdirectory><input id="file" type="file">
<div id="drop">here</div>
<script type="module" src="/test/page.mjs"></script>
`;

/**
 * Starts a browser, and a server with the page, the package and the images. `server.bad` can answer in place
 * of the files.
 */
export async function start() {
  const places = {
    "page.html": { type: "text/html", text: PAGE },
    "npm/": npm,
    "test/": fileURLToPath(new URL(".", import.meta.url)),
    "fixtures/": fixture(""),
  };
  const state = { bad: () => false };
  const server = await serve(places, { bad: (request, response) => state.bad(request, response) });
  const browser = await launch();
  /** Uses a new page, which must have no errors or warnings except these. */
  const inPage = async (use, allowed = /^$/) => {
    const { page, faults } = await visit(browser, `${server.url}page.html`);
    try {
      await page.waitForFunction(() => "page" in window);
      await use(page);
      assert.deepEqual(
        faults.filter((fault) => !allowed.test(fault)),
        [],
      );
    } finally {
      state.bad = () => false;
      await page.close();
    }
  };
  const close = async () => {
    await browser.close();
    await server.close();
  };
  return { inPage, state, close };
}
