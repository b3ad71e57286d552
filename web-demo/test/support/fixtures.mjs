/** Images of other tools. A test without its image is skipped, or fails with `OCICLE_REQUIRE_TOOLS`. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

export function scratch() {
  const directory = mkdtempSync(join(tmpdir(), "ocicle-page-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A test with a requirement; `missing` names it if it is not met. */
export function testWith(missing, name, run) {
  if (!missing) test(name, run);
  else if (process.env.OCICLE_REQUIRE_TOOLS) {
    test(name, () => {
      throw new Error(missing);
    });
  } else test(name, { skip: `NOT RUN: ${missing}` });
}

const bin = process.env.OCICLE_BIN;
export const noCommand = bin ? undefined : "OCICLE_BIN does not say where the ocicle command is";

export function ocicle(...words) {
  return execFileSync(bin, words, { encoding: "utf8" });
}

/** Runs a command line of the page. */
export function inShell(line, cwd) {
  return spawnSync("sh", ["-c", `ocicle() { "$OCICLE_BIN" "$@"; }; ${line}`], { cwd, encoding: "utf8" });
}

export function sampleArchive(directory) {
  const file = join(directory, "own-sample.tar");
  execFileSync("sh", [fileURLToPath(new URL("../../sample.sh", import.meta.url)), file]);
  return file;
}

/** A file or directory of $OCICLE_FIXTURES. */
export function fixture(name) {
  const path = join(process.env.OCICLE_FIXTURES ?? "", name);
  return process.env.OCICLE_FIXTURES && existsSync(path)
    ? { path }
    : { path, missing: `$OCICLE_FIXTURES has no ${name}` };
}
