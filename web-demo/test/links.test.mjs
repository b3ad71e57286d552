/** Deep links and the back button. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { at, chooser, IMAGE, row, useSite, verified } from "./support/browser.mjs";
import { archive, layout, tar } from "./support/oci.mjs";
import { scratch } from "./support/fixtures.mjs";
import { writeFileSync } from "node:fs";

const site = useSite();
const own = join(scratch(), "own image.tar");
before(() =>
  writeFileSync(
    own,
    archive(
      layout("mine", [
        {
          tar: tar([
            ["srv/", ""],
            ["srv/hello.txt", "hello from a link\n"],
          ]),
        },
      ]),
    ),
  ),
);

const hash = (page) => page.evaluate(() => location.hash);

test("a link opens the directories above a path", async () => {
  await site.page(
    async (page) => {
      await page
        .getByRole("region", { name: "Text of /app/data/tides.csv" })
        .getByText("harbour,time,height")
        .waitFor();
      const chosen = row(page, "tides.csv");
      await chosen.waitFor();
      assert.equal(await chosen.getAttribute("aria-selected"), "true");
    },
    { hash: `#image=${encodeURIComponent(IMAGE)}&path=/app/data/tides.csv&view=files` },
  );
});

test("back and forward follow the history", async () => {
  await site.page(async (page) => {
    await verified(page);
    await row(page, "etc").click();
    await row(page, "passwd").click();
    await page.getByRole("region", { name: "Text of /etc/passwd" }).waitFor();
    await page.getByRole("link", { name: "Waste", exact: true }).click();
    await page.locator(".lead").waitFor();
    await page.goBack();
    await page.getByRole("region", { name: "Text of /etc/passwd" }).waitFor();
    await page.goBack();
    await page.getByRole("region", { name: "About /etc", exact: true }).waitFor();
    await page.goForward();
    await page.goForward();
    await page.locator(".lead").waitFor();
    assert.match(await hash(page), /view=waste/);
  });
});

test("a link into another file waits for that file", async () => {
  const link = "#store=own+image.tar&image=mine&path=/srv/hello.txt&view=files";
  await site.page(
    async (page) => {
      await page.getByText("This link refers to").getByText("own image.tar").waitFor();
      await chooser(page, "file").setInputFiles(own);
      await page.getByText("hello from a link").waitFor();
      assert.equal(
        await page.locator(".command code").innerText(),
        "ocicle cat 'own image.tar#mine' /srv/hello.txt",
      );
    },
    { hash: link },
  );
});

test("a link that the sample cannot follow waits, too", async () => {
  await site.page(
    async (page) => {
      await page.getByText("If this link refers to another file").waitFor();
      await chooser(page, "file").setInputFiles(own);
      await page.getByText("hello from a link").waitFor();
      assert.match(await hash(page), /store=own%20image\.tar/);
    },
    { hash: "#image=mine&path=/srv/hello.txt&view=files" },
  );
});

test("a page that waits for another file can be used", async () => {
  await site.page(
    async (page) => {
      await page.getByText("This link refers to").waitFor();
      await page
        .locator(".images")
        .getByRole("link", { name: /linux\/amd64/ })
        .first()
        .click();
      await row(page, "app").waitFor();
      assert.equal(await page.getByText("This link refers to").count(), 0);
    },
    { hash: "#store=elsewhere.tar&image=mine&view=files" },
  );
});

test("back leads to the sample, forward to the file again", async () => {
  await site.page(async (page) => {
    await verified(page);
    await chooser(page, "file").setInputFiles(own);
    await page.locator(".store").getByText("own image.tar").waitFor();
    await row(page, "srv").waitFor();
    await page.goBack();
    await page.locator(".store").getByText("sample.tar").waitFor();
    await row(page, "app").waitFor();
    await page.goForward();
    await page.locator(".store").getByText("own image.tar").waitFor();
    await row(page, "srv").waitFor();
  });
});

test("an absent path is reported", async () => {
  await site.page(
    async (page) => {
      await page.getByText("No layer has /no/such/file.").waitFor();
      await row(page, "etc").waitFor();
    },
    { hash: at({ path: "/no/such/file" }) },
  );
});
