// Runs jco: new ADAPTER.wasm MODULE.wasm COMPONENT.wasm | transpile COMPONENT.wasm DIRECTORY

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { transpile } from "@bytecodealliance/jco-transpile";
import { componentNew } from "@bytecodealliance/jco-transpile/wasm-tools";

const [command, ...paths] = process.argv.slice(2);
if (command === "new") {
  const [adapter, from, to] = paths;
  const adapters = [["wasi_snapshot_preview1", await readFile(adapter)]];
  await writeFile(to, await componentNew(await readFile(from), adapters));
} else if (command === "transpile") {
  const [from, to] = paths;
  const { files } = await transpile(from, { name: "ocicle" });
  for (const [name, content] of Object.entries({ ...files, "package.json": '{ "type": "module" }\n' })) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    await writeFile(join(to, name), content);
  }
} else {
  throw new Error(`no such command: ${command}`);
}
