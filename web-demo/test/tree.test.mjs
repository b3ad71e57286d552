/** The file tree: keys, search, filters, order, preview. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { at, chooser, row, useSite, verified } from "./support/browser.mjs";
import { inShell, noCommand, scratch, testWith } from "./support/fixtures.mjs";
import { archive, layout, tar } from "./support/oci.mjs";

const site = useSite();
const work = scratch();

function writeArchive(name, layers) {
  const path = join(work, name);
  writeFileSync(path, archive(layout("made", layers.map((tar) => ({ tar })))));
  return path;
}

/** The names in the tree, from the top. */
async function names(page) {
  const rows = await page.locator(".tree .canvas .row").evaluateAll((all) =>
    all
      .map((one) => [Number(one.dataset.index), one.querySelector(".text").textContent])
      .sort((a, b) => a[0] - b[0])
      .map(([, name]) => name),
  );
  return rows;
}

async function hasNames(page, expected) {
  await page
    .waitForFunction(
      (wanted) => {
        const all = [...document.querySelectorAll(".tree .canvas .row")].sort(
          (a, b) => a.dataset.index - b.dataset.index,
        );
        return all.map((one) => one.querySelector(".text").textContent).join() === wanted;
      },
      expected.join(),
      { timeout: 5000 },
    )
    .catch(async () => assert.deepEqual(await names(page), expected));
}

const TOP = ["/", "app", "bin", "etc", "tmp", "usr", "var"];

/** The name of the active row. */
async function active(page) {
  return page.evaluate(() => {
    const tree = document.activeElement;
    return document.getElementById(tree.getAttribute("aria-activedescendant"))?.querySelector(".text")
      .textContent;
  });
}

async function press(page, key, expected) {
  await page.keyboard.press(key);
  await page
    .waitForFunction(
      (name) =>
        document
          .getElementById(document.activeElement.getAttribute("aria-activedescendant") ?? "")
          ?.querySelector(".text").textContent === name,
      expected,
      { timeout: 5000 },
    )
    .catch(async () => assert.equal(await active(page), expected, `after ${key}`));
}

test("a file is reached with the keyboard alone", async () => {
  await site.page(async (page) => {
    await verified(page);
    await hasNames(page, TOP);
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
    // To the tree, by Tab only.
    for (
      let stops = 0;
      stops < 12 && (await page.evaluate(() => document.activeElement.getAttribute("role"))) !== "treegrid";
      stops += 1
    )
      await page.keyboard.press("Tab");
    assert.equal(await active(page), "/");
    await press(page, "ArrowDown", "app");
    await press(page, "End", "var");
    await press(page, "Home", "/");
    await press(page, "PageDown", "var");
    await press(page, "PageUp", "/");
    await press(page, "ArrowRight", "app");
    await page.keyboard.press("ArrowRight");
    await row(page, "data").waitFor();
    assert.equal(await row(page, "app").getAttribute("aria-expanded"), "true");
    await press(page, "ArrowRight", "VERSION");
    await press(page, "ArrowDown", "data");
    await press(page, "ArrowUp", "VERSION");
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Text of /app/VERSION" }).getByText("1.0.0").waitFor();
    await press(page, "ArrowLeft", "app");
    await page.keyboard.press("ArrowLeft");
    await hasNames(page, TOP);
    assert.equal(await active(page), "app");
    assert.equal(await row(page, "app").getAttribute("aria-expanded"), "false");
  });
});

test("rows say where they are", async () => {
  await site.page(async (page) => {
    await verified(page);
    await row(page, "etc").click();
    const os = row(page, "os-release");
    await os.waitFor();
    const attributes = await os.evaluate((element) =>
      Object.fromEntries(
        ["level", "posinset", "setsize", "rowindex"].map((name) => [
          name,
          element.getAttribute(`aria-${name}`),
        ]),
      ),
    );
    const siblings = await page.locator('.tree [aria-level="3"]').count();
    assert.equal(attributes.level, "3");
    assert.equal(attributes.setsize, String(siblings));
    assert.equal(
      await page.getByRole("treegrid").getAttribute("aria-rowcount"),
      String(TOP.length + siblings + 1),
    );
  });
});

test("a search shows matches and the directories above them", async () => {
  await site.page(async (page) => {
    await verified(page);
    await page.getByRole("searchbox", { name: "Search names" }).fill("TIDE.conf");
    await hasNames(page, ["/", "etc", "tide.conf"]);
    assert.match(
      await page.locator(".command code").innerText(),
      /ocicle find sample\.tar#v1\/\/platform=linux\/amd64 --name '\*TIDE\.conf\*' --ignore-case$/,
    );
    await page.getByRole("searchbox", { name: "Search names" }).fill("no such name");
    await page.getByText("No files match.").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await hasNames(page, TOP);
  });
});

test("a layer is filtered by what it does", async () => {
  await site.page(
    async (page) => {
      await verified(page);
      await row(page, "etc").locator(".mark").waitFor();
      await page.getByLabel("added").uncheck();
      await hasNames(page, ["/", "etc", "tide.conf"]);
      assert.equal(await row(page, "tide.conf").locator(".mark").innerText(), "M");
      await page.getByLabel("changed").uncheck();
      await page.getByText("Nothing fits").or(page.locator(".tree .canvas .row")).first().waitFor();
      await page.getByLabel("Layer", { exact: true }).selectOption("5");
      await hasNames(page, ["/", "var", "cache", "packages", "index", "tided_3.1.pkg"]);
      assert.equal(await row(page, "packages").locator(".mark").innerText(), "D");
    },
    { hash: at({ layer: 3 }) },
  );
});

test("wasted files are shown alone", async () => {
  await site.page(async (page) => {
    await verified(page);
    await page.getByLabel("Wasted only").check();
    await row(page, "tided_3.1.pkg").waitFor();
    const shown = await names(page);
    assert.ok(shown.includes("tide.conf") && shown.includes("tided"), shown.join());
    assert.ok(!shown.includes("os-release"), shown.join());
  });
});

test("the largest come first", async () => {
  await site.page(async (page) => {
    await verified(page);
    await page.getByRole("radio", { name: "By size" }).check();
    await page.waitForFunction(
      () => document.querySelector('.tree [data-index="1"] .text')?.textContent === "usr",
    );
    const sizes = await page
      .locator('.tree [aria-level="2"] > :nth-child(2) .number')
      .evaluateAll((all) => all.map((one) => Number.parseInt(one.title.replaceAll(",", ""), 10)));
    assert.ok(sizes.length > 3);
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => b - a),
    );
  });
});

for (const [path, look, region] of [
  ["/etc/os-release", "Text", "Text of /etc/os-release"],
  ["/usr/bin/tided", "Hex", "Bytes of /usr/bin/tided"],
]) {
  test(`${path} is previewed as ${look}`, async () => {
    await site.page(
      async (page) => {
        await page.getByRole("radio", { name: look }).check();
        const content = page.getByRole("region", { name: region });
        await content.waitFor();
        const text = await content.innerText();
        if (look === "Text") assert.match(text, /PRETTY_NAME="Harbour Linux 3 \(sample\)"/);
        else assert.match(text, /^00000000 +[0-9a-f]{2} [0-9a-f]{2} /);
      },
      { hash: at({ path }) },
    );
  });
}

for (const path of ["/app/static/logo.svg", "/app/static/icon.png"]) {
  test(`${path} is shown as a picture`, async () => {
    await site.page(
      async (page) => {
        const picture = page.getByRole("img", { name: `Picture ${path}` });
        await picture.waitFor();
        await page.getByText(path.endsWith("svg") ? "360 × 216 pixels" : "24 × 24 pixels").waitFor();
        assert.ok(await picture.evaluate((img) => img.naturalWidth > 0));
      },
      { hash: at({ path }) },
    );
  });
}

test("a file is saved as it is", async () => {
  await site.page(
    async (page) => {
      const [saved] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: "Download" }).click(),
      ]);
      assert.equal(saved.suggestedFilename(), "passwd");
      const content = readFileSync(await saved.path(), "utf8");
      assert.match(content, /^root:x:0:0:root:\/root:\/bin\/sh\n/);
    },
    { hash: at({ path: "/etc/passwd" }) },
  );
});

test("a symbolic link opens its target", async () => {
  await site.page(
    async (page) => {
      await page.getByText("leads to").getByRole("link", { name: "busybox" }).click();
      await page.waitForFunction(() => decodeURIComponent(location.hash).includes("path=/usr/bin/busybox"));
      await page
        .getByRole("region", { name: /busybox/ })
        .first()
        .waitFor();
    },
    { hash: at({ path: "/usr/bin/sh" }) },
  );
});

test("a file of a layer shows that a later layer replaces it", async () => {
  await site.page(
    async (page) => {
      await page
        .getByText("A later layer replaces this file. The content below is that of layer 2.")
        .waitFor();
      const text = page.getByRole("region", { name: "Text of /etc/tide.conf" });
      await text.getByText("port = 8080").waitFor();
      assert.doesNotMatch(await text.innerText(), /harbours/);
      assert.equal(
        await page.locator(".command code").innerText(),
        "ocicle cat --layer 2 sample.tar#v1//platform=linux/amd64 /etc/tide.conf",
      );
      const changes = page.getByRole("region", { name: "Changes by layer" }).getByRole("listitem");
      assert.equal(await changes.count(), 2);
      assert.match(await changes.nth(1).innerText(), /replaced/);
    },
    { hash: at({ layer: 2, path: "/etc/tide.conf" }) },
  );
});

test("a removed file is shown as such", async () => {
  await site.page(
    async (page) => {
      await page.getByText("Not in the final image").waitFor();
      assert.equal(
        await page.locator(".command code").innerText(),
        "ocicle why sample.tar#v1//platform=linux/amd64 /var/cache/packages/index",
      );
    },
    { hash: at({ layer: 2, path: "/var/cache/packages/index" }) },
  );
});

for (const [what, layer] of [
  ["in the layer that has it", 2],
  ["without a layer", undefined],
]) {
  test(`a removed file can be read, ${what}`, async () => {
    await site.page(
      async (page) => {
        await page.getByText("The content below is that of layer 2.").waitFor();
        const text = page.getByRole("region", { name: "Text of /var/cache/packages/index" });
        await text.waitFor();
        assert.ok((await text.innerText()).length > 2600);
        assert.equal(await page.getByText("No layer has").count(), 0);
      },
      { hash: at({ ...(layer && { layer }), path: "/var/cache/packages/index" }) },
    );
  });
}

const BRACKETS = writeArchive("brackets.tar", [
  tar([
    ["docs/"],
    ["docs/a.txt", "a"],
    ["docs/B.TXT", "b"],
    ["docs/a.txt.gz", "c"],
    ["docs/[x].js", "d"],
    ["docs/x.js", "e"],
    ["docs/old.txt", "old"],
    ["docs/!{a,b}", "f"],
  ]),
  tar([["docs/.wh.old.txt"]]),
]);

testWith(noCommand, "a search shows what its command prints", async () => {
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(BRACKETS);
    await row(page, "docs").waitFor();
    await verified(page);
    const search = page.getByRole("searchbox", { name: "Search names" });
    for (const [text, expected] of [
      ["*.txt", ["B.TXT", "a.txt", "old.txt"]],
      [".TXT", ["B.TXT", "a.txt", "a.txt.gz", "old.txt"]],
      ["[x]", ["[x].js"]],
      ["?.js", ["x.js"]],
      ["{a,b}", ["!{a,b}"]],
      ["!{*", ["!{a,b}"]],
      ["old", ["old.txt"]],
    ]) {
      const before = await page.locator(".command code").innerText();
      await search.fill(text);
      await page.waitForFunction(
        (line) => document.querySelector(".command code").textContent !== line,
        before,
      );
      await hasNames(page, ["/", "docs", ...expected]);
      const line = await page.locator(".command code").innerText();
      const { status, stdout, stderr } = inShell(`${line} --json`, dirname(BRACKETS));
      assert.equal(status, 0, `${line}: ${stderr}`);
      const found = JSON.parse(stdout).found.map(({ path }) => path);
      assert.deepEqual(found.sort(), expected.map((name) => `/docs/${name}`).sort(), line);
    }
    assert.equal(await row(page, "old.txt").evaluate((one) => one.classList.contains("gone")), true);
  });
});

test("search and filters end with the file", async () => {
  await site.page(async (page) => {
    await verified(page);
    const search = page.getByRole("searchbox", { name: "Search names" });
    await search.fill("tide");
    await row(page, "tided").waitFor();
    await page.getByLabel("Wasted only").check();
    await chooser(page, "file").setInputFiles(BRACKETS);
    await hasNames(page, ["/", "docs"]);
    assert.equal(await search.inputValue(), "");
    assert.equal(await page.getByLabel("Wasted only").isChecked(), false);
    // Also what was typed a moment before.
    await page.evaluate(() => {
      const box = document.querySelector("input[type=search]");
      box.value = "nothing has this";
      box.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await page.goBack();
    await hasNames(page, TOP);
    await page.waitForTimeout(300);
    await hasNames(page, TOP);
  });
});

test("on a phone, the preview is brought into view", async () => {
  await site.page(
    async (page) => {
      await verified(page);
      const inView = (locator) =>
        locator.evaluate((one) => {
          const { top, bottom } = one.getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        });
      await row(page, "etc").tap();
      await row(page, "passwd").waitFor();
      // A directory only opens.
      assert.equal(await page.evaluate(() => document.activeElement.tagName), "DIV");
      await row(page, "passwd").tap();
      const heading = page.getByRole("heading", { name: "/etc/passwd" });
      await page.waitForFunction(() => document.activeElement.tagName === "H2");
      assert.equal(await inView(heading), true);
      const text = page.getByRole("region", { name: "Text of /etc/passwd" });
      await text.waitFor();
      assert.equal(await text.evaluate((one) => one.getBoundingClientRect().top < innerHeight - 80), true);
      await page.getByRole("link", { name: "Back to the files" }).tap();
      assert.equal(await page.evaluate(() => document.activeElement.getAttribute("role")), "treegrid");
      assert.equal(await inView(row(page, "passwd")), true);
      // The same file again.
      await row(page, "passwd").tap();
      await page.waitForFunction(() => document.activeElement.tagName === "H2");
      assert.equal(await inView(heading), true);
      assert.match(await page.evaluate(() => location.hash), /path=\/etc\/passwd/);
    },
    { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  );
});
