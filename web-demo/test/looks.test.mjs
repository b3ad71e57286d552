/** Every view, light, dark and narrow: accessible, and without horizontal scrolling. Screenshots are kept. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { at, chooser, useSite, verified } from "./support/browser.mjs";
import { scratch } from "./support/fixtures.mjs";
import { archive, layout, tar } from "./support/oci.mjs";

const site = useSite();
const PICTURES = process.env.SCREENSHOTS ?? fileURLToPath(new URL("./screenshots", import.meta.url));
mkdirSync(PICTURES, { recursive: true });

const VIEWS = {
  files: [at({ path: "/etc/tide.conf" }), ".content"],
  layer: [at({ layer: 2, path: "/usr/bin/tided" }), ".mark"],
  gone: [at({ layer: 2, path: "/var/cache/packages/index" }), ".row.gone.chosen"],
  picture: [at({ path: "/app/static/logo.svg" }), ".picture img"],
  hex: [at({ path: "/usr/lib/libc.so.6" }), ".content"],
  layers: [at({ view: "layers" }), ".card"],
  space: [at({ view: "space" }), ".tile"],
  waste: [at({ view: "waste" }), ".lead"],
  config: [at({ view: "config" }), ".history"],
  diff: [at({ view: "diff", against: "v2//platform=linux/amd64" }), ".lead"],
  export: [at({ view: "export" }), ".export"],
  index: ["#image=v2", ".about .content"],
  wrong: [at({ path: "/no/such" }), ".problem"],
};

const work = scratch();
const damaged = join(work, "damaged.tar");
const notes = join(work, "notes.txt");
before(() => {
  const good = { tar: tar([["etc/"], ["etc/base.txt", "the base\n"]]) };
  writeFileSync(
    damaged,
    archive(layout("damaged", [good, { tar: tar([["srv/"]]), blob: (gzip) => gzip.subarray(4) }])),
  );
  writeFileSync(notes, "These are only notes.\n".repeat(100));
});

const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { colorScheme: "light", viewport: { width: 360, height: 740 } },
  contrast: { forcedColors: "active" },
};

async function isForEveryone(page, view, look) {
  await page.screenshot({ path: join(PICTURES, `${view}-${look}.png`), fullPage: look === "phone" });
  const over = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(over, 0, "the page scrolls sideways");
  const { violations, passes } = await new AxeBuilder({ page })
    // It is not among the default rules.
    .options({ rules: { "target-size": { enabled: true } } })
    .analyze();
  assert.ok(passes.length > 10, "axe has looked");
  const found = violations.map(
    (one) => `${one.id}: ${one.help}\n${one.nodes.map((node) => `  ${node.html}`).join("\n")}`,
  );
  assert.deepEqual(found, []);
}

for (const [look, options] of Object.entries(LOOKS)) {
  for (const [view, [hash, sign]] of Object.entries(VIEWS)) {
    test(`${view}, ${look}`, async () => {
      await site.page(
        async (page) => {
          await page.locator(sign).first().waitFor();
          if (view !== "index") await verified(page);
          await isForEveryone(page, view, look);
        },
        { hash, ...options },
      );
    });
  }

  test(`what is wrong, ${look}`, async () => {
    await site.page(async (page) => {
      await verified(page);
      await chooser(page, "file").setInputFiles(damaged);
      await page.locator(".verification").getByText("1 of 2 layers failed").waitFor();
      await page.getByRole("link", { name: "Layers", exact: true }).click();
      await chooser(page, "file").setInputFiles(notes);
      await page.locator(".band .problem").waitFor();
      await isForEveryone(page, "damaged", look);
    }, options);
  });
}

test("on a phone, nothing covers what can be pressed", async () => {
  // With these heights, the headings of the first table are at the lower edge.
  for (const height of [880, 900, 906]) {
    await site.page(
      async (page) => {
        await page.locator(".lead").waitFor();
        const { violations } = await new AxeBuilder({ page }).withRules(["target-size"]).analyze();
        assert.deepEqual(
          violations.flatMap(({ nodes }) => nodes.map(({ html }) => html)),
          [],
          `height ${height}`,
        );
      },
      { hash: at({ view: "waste" }), viewport: { width: 360, height } },
    );
  }
});

test("the colours can be chosen, and are remembered", async () => {
  await site.page(
    async (page) => {
      await verified(page);
      const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await paper();
      const button = page.getByRole("button", { name: /^Colours/ });
      await button.click();
      assert.equal(await paper(), light);
      await button.click();
      const dark = await paper();
      assert.notEqual(dark, light);
      await page.reload();
      assert.equal(await paper(), dark);
    },
    { colorScheme: "light" },
  );
});

test("reduced motion is respected", async () => {
  await site.page(
    async (page) => {
      await verified(page);
      const moving = await page.evaluate(
        () =>
          [...document.querySelectorAll("*")].filter(
            (one) =>
              getComputedStyle(one).transitionDuration !== "0s" ||
              getComputedStyle(one).animationName !== "none",
          ).length,
      );
      assert.equal(moving, 0);
    },
    { reducedMotion: "reduce" },
  );
});
