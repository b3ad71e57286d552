// Runs a WASI module in Node: [--dir HOST::GUEST]... [--env NAME=VALUE]... [--max-memory BYTES] MODULE.wasm
// [ARGUMENT]...

import { readFile } from "node:fs/promises";
import process from "node:process";

// Node warns on standard error that its WASI is experimental, where tests look for our own messages.
process.removeAllListeners("warning");
const { WASI } = await import("node:wasi");

const options = process.argv.slice(2);
const preopens = {};
const env = {};
let most = Infinity;
while (options[0]?.startsWith("--")) {
  const [option, value] = options.splice(0, 2);
  const [name, rest] = option === "--dir" ? value.split("::") : value.split(/=(.*)/s);
  if (option === "--dir") preopens[rest ?? name] = name;
  else if (option === "--env") env[name] = rest;
  else if (option === "--max-memory") most = Number(value);
  else throw new Error(`no such option: ${option}`);
}
const [module, ...args] = options;
const wasi = new WASI({ version: "preview1", args: ["ocicle", ...args], env, preopens, returnOnExit: true });
const { instance } = await WebAssembly.instantiate(await readFile(module), wasi.getImportObject());
process.exitCode = wasi.start(instance);
// Node has no limit to set; memory never shrinks, so that its size at the end is the most there was.
const used = instance.exports.memory.buffer.byteLength;
if (used > most) throw new Error(`the module took ${used} bytes of memory; --max-memory is ${most}`);
