/** A hostile image: its names and contents are shown as text, and never run. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { chooser, row, useSite, verified } from "./support/browser.mjs";
import { scratch } from "./support/fixtures.mjs";
import { archive, layout, tar } from "./support/oci.mjs";

const site = useSite();
const work = scratch();

const SCRIPT = "<img src=x onerror=document.title='harmed'>";
const PAGE = `<!doctype html><script>document.title = "harmed"</script>${SCRIPT}`;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="document.title='harmed'">
<script>document.title = "harmed"</script></svg>`;

/** Opens an image with these files, visits all views, and checks that no script ran. */
async function opened(name, files, use) {
  const path = join(work, name);
  writeFileSync(path, archive(layout(SCRIPT, [{ tar: tar(files) }])));
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(path);
    await page.locator(".store").getByText(name, { exact: true }).waitFor();
    await verified(page);
    await use(page);
    assert.notEqual(await page.title(), "harmed");
    assert.equal(await page.locator("#app img[src=x], #app script").count(), 0);
  });
}

test("markup in tags and names is text", () =>
  opened(
    "markup.tar",
    [
      [SCRIPT, "x"],
      ["steer\u202etxt.exe", "x"],
    ],
    async (page) => {
      await page.locator(".images").getByRole("link", { name: SCRIPT }).waitFor();
      await page.getByRole("treegrid").getByText(SCRIPT).click();
      await page.getByRole("heading").getByText(SCRIPT).first().waitFor();
      // Bidirectional control characters are escaped.
      assert.equal(await page.getByRole("treegrid").getByText("\u202e").count(), 0);
      for (const view of ["Layers", "Space", "Waste", "Config", "Export"]) {
        await page.getByRole("link", { name: view, exact: true }).click();
        await page.locator("#main").getByRole("heading", { name: SCRIPT }).first().waitFor();
      }
    },
  ));

test("scripts in pages and pictures do not run", () =>
  opened(
    "active.tar",
    [
      ["page.html", PAGE],
      ["picture.svg", SVG],
    ],
    async (page) => {
      await row(page, "page.html").click();
      await page.getByRole("region", { name: "Text of /page.html" }).getByText("harmed").first().waitFor();
      await row(page, "picture.svg").click();
      await page.getByRole("heading").getByText("picture.svg").first().waitFor();
      await page.waitForTimeout(300);
    },
  ));

test("names that climb stay inside", () =>
  opened(
    "climbing.tar",
    [
      ["../../outside", "o"],
      ["/absolute", "a"],
      ["inside/../../../climbs", "c"],
    ],
    async (page) => {
      for (const name of ["outside", "absolute", "climbs"]) await row(page, name).waitFor();
      assert.equal(await page.getByRole("treegrid").getByText("..").count(), 0);
    },
  ));
