// Calls a function of the component in Node: DIRECTORY FUNCTION [ARGUMENT]...
// Prints the result; or the kind of the failure and its message on standard error, and exits with 1.

import process from "node:process";
import { _setPreopens } from "@bytecodealliance/preview2-shim/filesystem";

const [directory, name, ...words] = process.argv.slice(2);
_setPreopens({ ".": directory });
const { images } = await import("./ocicle.js");
const seconds = (word) => (/^\d+$/.test(word) ? BigInt(word) : word);
try {
  process.stdout.write(images[name](...words.map(seconds)) ?? "");
} catch (error) {
  const { kind, message } = error.payload ?? error;
  if (kind === undefined) throw error;
  process.stderr.write(`${kind}: ${message}\n`);
  process.exitCode = 1;
}
