/** The package and the command under test, and the images that `tests/tests/browser/package.rs` prepared. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The directory of the package. */
export const npm = process.env.OCICLE_NPM ?? fileURLToPath(new URL("..", import.meta.url));

export const { fromDataTransfer, open, OcicleError, Store } = await import(
  pathToFileURL(join(npm, "dist/node.js")).href
);

/** Returns the path of a fixture. */
export const fixture = (name) => join(variable("OCICLE_FIXTURES"), name);

export function variable(name) {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} is not set: run \`cargo nextest run -p ocicle-tests --test browser\``);
  }
  return value;
}

/** Runs the command, without the settings of this process. */
export function native(words, { epoch } = {}) {
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync(variable("OCICLE_BIN"), words, {
    env: { ...env, OCICLE_CACHE: "", ...(epoch !== undefined && { SOURCE_DATE_EPOCH: `${epoch}` }) },
    maxBuffer: 1 << 30,
  });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr: stderr.toString() };
}

/** Runs the command, which must succeed; returns its output as text. */
export function done(words, options) {
  const { code, stdout, stderr } = native(words, options);
  if (code !== 0) throw new Error(`ocicle ${words.join(" ")}: ${stderr}`);
  return stdout.toString();
}

let made;

/** Returns a directory that is removed when the process exits. */
export function scratch() {
  if (made === undefined) {
    made = mkdtempSync(join(tmpdir(), "ocicle-js-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return made;
}

let count = 0;

/** Returns a new path in it. */
export const fresh = (name) => join(scratch(), `${count++}-${name}`);
