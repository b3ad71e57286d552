/** The built page in Chromium, for tests. */
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** `site.open()` returns a new page; unexpected errors fail the test. */
export function useSite() {
  const site = {};
  before(async () => {
    site.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: FLAGS,
    });
    site.server = await serve();
  });
  after(async () => {
    await site.browser?.close();
    site.server?.close();
  });

  /** Runs `use` with a page that shows the sample, or what the hash says. */
  site.page = async (use, { hash = "", worker = "block", ...options } = {}) => {
    const context = await site.browser.newContext({
      viewport: { width: 1280, height: 860 },
      serviceWorkers: worker,
      ...options,
    });
    const page = await context.newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(error.stack));
    try {
      await page.goto(site.server.url + hash);
      await use(page, context);
    } finally {
      await context.close();
    }
    if (faults.length) throw new Error(`the page threw: ${faults.join("\n")}`);
  };
  return site;
}

export const IMAGE = "v1//platform=linux/amd64";

/** A hash for the sample. */
export function at(fields) {
  return `#${new URLSearchParams({ image: IMAGE, ...fields })}`;
}

/** The input behind one of the two buttons. */
export function chooser(page, kind) {
  return page
    .getByLabel(kind === "directory" ? "Open directory" : "Open file", { exact: true })
    .and(page.locator("input"));
}

export function row(page, name) {
  return page
    .getByRole("treegrid")
    .getByRole("row")
    .filter({ has: page.locator(".text", { hasText: new RegExp(`^${name.replaceAll(".", "\\.")}$`) }) });
}

export async function verified(page) {
  await page
    .locator(".verification")
    .getByText(/layers? verified/)
    .waitFor();
}
