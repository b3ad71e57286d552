/** Each view shows the sample, and the command line prints the same. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { at, chooser, IMAGE, useSite, verified } from "./support/browser.mjs";
import { inShell, noCommand, scratch, testWith } from "./support/fixtures.mjs";
import { archive, layout, tar } from "./support/oci.mjs";

const site = useSite();
const other = join(scratch(), "other.tar");
before(() =>
  writeFileSync(other, archive(layout("mine", [{ tar: tar([["srv/"], ["srv/hello.txt", "hello\n"]]) }]))),
);
const OTHER = "v2//platform=linux/amd64";

async function commandIs(page, expected) {
  assert.equal(await page.locator(".command code").innerText(), expected);
}

async function saved(page, name) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name }).click(),
  ]);
  assert.equal(download.suggestedFilename(), name);
  return readFileSync(await download.path(), "utf8");
}

test("layers: command, size, waste, state", async () => {
  await site.page(
    async (page) => {
      await verified(page);
      const cards = page.locator(".layers .card");
      assert.equal(await cards.count(), 5);
      assert.match(await cards.nth(1).innerText(), /RUN pkg update && pkg install tided/);
      await cards
        .nth(1)
        .getByText(/20\.\d kB, \d+ %/)
        .waitFor();
      await cards.nth(4).getByText("nothing").waitFor();
      assert.deepEqual(await page.locator(".layers .state").allInnerTexts(), Array(5).fill("verified"));
      await commandIs(page, `ocicle stat sample.tar#${IMAGE}`);
      await cards.nth(2).getByRole("link").click();
      await page.getByRole("treegrid").waitFor();
      assert.equal(await page.getByLabel("Layer", { exact: true }).inputValue(), "3");
    },
    { hash: at({ view: "layers" }) },
  );
});

test("space: boxes and the same as a table", async () => {
  await site.page(
    async (page) => {
      const map = page.getByRole("img", { name: /^Treemap of \// });
      await map.waitFor();
      assert.ok((await map.locator("rect").count()) > 8);
      const table = page.getByRole("region", { name: /^Sizes in \// });
      const sizes = async () =>
        await table
          .locator("tbody .number")
          .evaluateAll((all) => all.map((one) => Number.parseInt(one.title.replaceAll(",", ""), 10)));
      const before = await sizes();
      assert.ok(before.length >= 3);
      assert.deepEqual(
        before,
        before.toSorted((a, b) => b - a),
      );
      await table.getByRole("button", { name: "Size" }).click();
      assert.deepEqual(await sizes(), before.toReversed());
      await table.getByRole("link", { name: "usr" }).click();
      await page.getByRole("img", { name: /^Treemap of \/usr/ }).waitFor();
      await commandIs(page, `ocicle files sample.tar#${IMAGE} /usr`);
      await page.locator(".tile.leaf", { hasText: "busybox" }).first().click();
      await page.getByRole("treegrid").waitFor();
      await page
        .getByRole("region", { name: /busybox/ })
        .first()
        .waitFor();
    },
    { hash: at({ view: "space" }) },
  );
});

test("space: by layer", async () => {
  await site.page(
    async (page) => {
      await page.getByRole("radio", { name: "By layer" }).check();
      await page
        .getByRole("region", { name: /^Sizes in/ })
        .getByRole("link")
        .nth(2)
        .waitFor();
    },
    { hash: at({ view: "space" }) },
  );
});

test("waste: sums, paths, layers", async () => {
  await site.page(
    async (page) => {
      await page.getByText("20.9 kB", { exact: true }).first().waitFor();
      assert.equal(await page.locator(".lead").getByText("71 %").count(), 1);
      const paths = page.getByRole("region", { name: "Wasted by path" });
      assert.equal(await paths.locator("tbody a").first().innerText(), "/var/cache/packages/tided_3.1.pkg");
      assert.equal(
        await page.getByRole("region", { name: "Wasted by layer" }).locator("tbody tr").count(),
        5,
      );
      await commandIs(page, `ocicle waste sample.tar#${IMAGE}`);
    },
    { hash: at({ view: "waste" }) },
  );
});

test("waste: a link leads to the file as its layer has it", async () => {
  await site.page(
    async (page) => {
      const paths = page.getByRole("region", { name: "Wasted by path" });
      for (const [path, layer, text] of [
        ["/var/cache/packages/tided_3.1.pkg", 2, /\w{70}/],
        ["/etc/tide.conf", 2, /port = 8080/],
      ]) {
        await paths.getByRole("link", { name: path }).click();
        const content = page.getByRole("region", { name: `Text of ${path}` });
        await content.waitFor();
        assert.match(await content.innerText(), text);
        assert.doesNotMatch(await content.innerText(), /harbours/);
        assert.equal(await page.getByLabel("Layer", { exact: true }).inputValue(), String(layer));
        assert.equal(await page.locator(".notice.problem").count(), 0);
        await page.goBack();
      }
    },
    { hash: at({ view: "waste" }) },
  );
});

test("config and history", async () => {
  await site.page(
    async (page) => {
      const fact = (name) =>
        page
          .locator(".pairs > div")
          .filter({ has: page.locator("dt", { hasText: new RegExp(`^${name}$`) }) })
          .locator("dd");
      await fact("Entry point").waitFor();
      assert.equal(await fact("Entry point").innerText(), '["/app/server.sh"]');
      assert.equal(await fact("User").innerText(), "tide");
      assert.equal(await fact("TIDE_UNITS").innerText(), "metric");
      assert.equal(await fact("org.opencontainers.image.title").innerText(), "Tide tables");
      assert.equal(await page.locator(".history li").count(), 6);
      assert.equal(await page.locator(".history .chip").last().innerText(), "–");
    },
    { hash: at({ view: "config" }) },
  );
});

test("diff: files, config, directories", async () => {
  await site.page(
    async (page) => {
      await page.getByLabel("after").selectOption({ label: "v2 linux/amd64" });
      const files = page.getByRole("region", { name: "Files that differ" });
      await files.waitFor();
      const rows = await files.locator("tbody tr").allInnerTexts();
      assert.ok(
        rows.some((text) => /^A\s+\/app\/data\/harbours\.csv/.test(text)),
        rows.join("\n"),
      );
      assert.ok(
        rows.some((text) => /^D\s+\/etc\/motd/.test(text)),
        rows.join("\n"),
      );
      assert.ok(
        rows.some((text) => /^M\s+\/app\/server\.sh/.test(text)),
        rows.join("\n"),
      );
      assert.match(await page.getByRole("region", { name: "Config" }).innerText(), /metric[\s\S]*feet/);
      await page
        .getByRole("region", { name: "Sizes by directory" })
        .getByText("/app", { exact: true })
        .waitFor();
      await commandIs(page, `ocicle diff --semantic sample.tar#${IMAGE} sample.tar#${OTHER}`);
      const compared = JSON.parse(await saved(page, "diff.json"));
      assert.equal(compared.schemaVersion, 1);
      await page.getByRole("link", { name: "Swap" }).click();
      await page
        .getByText(/^D\s*\/app\/data\/harbours\.csv/)
        .or(page.locator("tr", { hasText: "harbours.csv" }).locator(".mark-removed"))
        .first()
        .waitFor();
    },
    { hash: at({ view: "diff" }) },
  );
});

test("diff: with an image of another file", async () => {
  await site.page(
    async (page) => {
      await page.getByLabel("Another file").and(page.locator("input")).setInputFiles(other);
      const files = page.getByRole("region", { name: "Files that differ" });
      await files.getByText("/srv/hello.txt").waitFor();
      await commandIs(page, `ocicle diff --semantic sample.tar#${IMAGE} other.tar#mine`);
      assert.match(await page.evaluate(() => location.hash), /against=mine&beside=other\.tar/);
      await page.goBack();
      await page.getByText("Choose an image").first().waitFor({ state: "attached" });
      assert.equal(await files.count(), 0);
    },
    { hash: at({ view: "diff" }) },
  );
});

test("export: mtree, JSON, check", async () => {
  await site.page(
    async (page) => {
      await page.getByLabel("Dialect").selectOption("bsd");
      await commandIs(page, `ocicle mtree --dialect bsd sample.tar#${IMAGE}`);
      assert.match(await saved(page, "image.mtree"), /os-release.*type=file/);
      assert.equal(JSON.parse(await saved(page, "stat.json")).config.config.User, "tide");
      assert.ok(
        JSON.parse(await saved(page, "files.json")).files.some((file) => file.path === "/etc/passwd"),
      );
      assert.ok(JSON.parse(await saved(page, "waste.json")).hidden > 20000);
      assert.equal(JSON.parse(await saved(page, "list.json")).entries.length, 2);
      await page.getByRole("button", { name: "Check everything" }).click();
      await page.getByText(/blobs match/).waitFor();
      assert.deepEqual(JSON.parse(await saved(page, "check.json")).findings, []);
    },
    { hash: at({ view: "export" }) },
  );
});

test("the command is copied", async () => {
  await site.page(
    async (page) => {
      await verified(page);
      await page.getByRole("button", { name: "Copy" }).click();
      await page.getByText("Copied", { exact: true }).waitFor();
      assert.equal(
        await page.evaluate(() => navigator.clipboard.readText()),
        `ocicle cat sample.tar#${IMAGE} /etc/passwd`,
      );
    },
    { hash: at({ path: "/etc/passwd" }), permissions: ["clipboard-read", "clipboard-write"] },
  );
});

test("names are quoted for a shell", async () => {
  await site.page(async (page) => {
    await verified(page);
    await page.getByRole("searchbox", { name: "Search names" }).fill("a'b $(x)");
    await page.waitForFunction(() => document.querySelector(".command code").textContent.includes("--name"));
    const line = await page.locator(".command code").innerText();
    const words = execFileSync(
      "sh",
      ["-c", `ocicle() { for word; do printf '%s\\n' "$word"; done; }; ${line}`],
      { encoding: "utf8" },
    );
    assert.deepEqual(words.trimEnd().split("\n"), [
      "find",
      `sample.tar#${IMAGE}`,
      "--name",
      "*a'b $(x)*",
      "--ignore-case",
    ]);
  });
});

testWith(noCommand, "the commands do what they say", async () => {
  const directory = scratch();
  copyFileSync(fileURLToPath(new URL("../src/sample.tar", import.meta.url)), join(directory, "sample.tar"));
  const shown = [
    [{}, /app\/server\.sh/],
    [{ layer: 2 }, /tided/],
    [{ path: "/etc/passwd" }, /^root:x:0:0/],
    [{ path: "/var/cache/packages/index", layer: 2 }, /removed/],
    [{ path: "/etc/tide.conf", layer: 2 }, /^\[tide\]\nport = 8080\nunits = "metric"\n$/],
    [{ view: "layers" }, /Layers/],
    [{ view: "space", path: "/usr" }, /busybox/],
    [{ view: "waste" }, /Hidden/],
    [{ view: "config" }, /TIDE_UNITS=metric/],
    [{ view: "diff", against: OTHER }, /harbours\.csv/],
    [{ view: "export" }, /type=file/],
    [{ image: "v2" }, /linux\/arm64/],
    [{ image: "v2//type=index" }, /linux\/arm64/],
    [{ image: "v2//artifact=application/spdx+json" }, /spdx/],
  ];
  await site.page(async (page) => {
    await verified(page);
    let before = "";
    for (const [fields, expected] of shown) {
      await page.goto(site.server.url + at(fields));
      // Each has another command.
      await page.waitForFunction(
        (last) => ![last, ""].includes(document.querySelector(".command code")?.textContent ?? ""),
        before,
      );
      if (fields.path)
        await page.waitForFunction(
          (path) => document.querySelector(".command code").textContent.endsWith(path),
          fields.path,
        );
      before = await page.locator(".command code").innerText();
      const { status, stdout, stderr } = inShell(before, directory);
      // 5: differences were found.
      assert.equal(status, fields.view === "diff" ? 5 : 0, `${before}\n${stderr}`);
      assert.match(stdout, expected, before);
    }
  });
});

testWith(noCommand, "the commands open files with any name", async () => {
  const directory = scratch();
  const plain = ["it's 100%!", "-n", "back\\slash", "#*?[x]", "$(x) `y`"];
  const odd = ["a\nb", "tab\t", "steer\u202etxt", "end\n", ...plain];
  const files = odd.map((name) => [name, `content of ${name}`]);
  const content = archive(layout("made", [{ tar: tar(files) }]));
  const prefixed = ["oci:z.tar", "oci-archive:#", "-dash", "=x"];
  const stores = ["a#b.tar", "new\nline.tar", "it's\n#", "end\n", ...prefixed];
  for (const [number, store] of stores.entries()) {
    writeFileSync(join(directory, store), content);
    await site.page(async (page) => {
      await verified(page);
      await chooser(page, "file").setInputFiles({ name: store, mimeType: "", buffer: content });
      await page.locator(".images").getByRole("link", { name: "made" }).waitFor();
      await verified(page);
      const rows = await page.locator(".tree .canvas .row .text").allInnerTexts();
      assert.equal(rows.length, odd.length + 1);
      // One odd name of the image for each odd name of a file, and the last for all that remain.
      for (const index of number === stores.length - 1 ? odd.keys() : [number]) {
        await page.locator(`.tree [data-index="${index + 1}"]`).click();
        const path = await page.locator(`.tree [data-index="${index + 1}"] .text`).innerText();
        await page.waitForFunction(
          (path) => document.querySelector(".preview h2")?.title === `/${path}`,
          path,
        );
        await page.waitForFunction(() =>
          document.querySelector(".command code").textContent.startsWith("ocicle cat"),
        );
        const line = await page.locator(".command code").textContent();
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u, line);
        const { status, stdout, stderr } = inShell(line, directory);
        assert.equal(status, 0, `${line}\n${stderr}`);
        assert.ok(odd.some((name) => stdout === `content of ${name}`), `${line}\n${stdout}`);
        const shown = await page.getByRole("region", { name: /^Text of/ }).textContent();
        assert.equal(shown, stdout);
      }
    });
  }
});
