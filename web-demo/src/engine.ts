/**
 * The package under a policy that forbids every connection: the wasm module is inside a script, and workers
 * start from a blob, which inherits the policy of the page; a worker with an address of its own would not.
 */
import { open, type Source, type Store } from "ocicle";
import workerUrl from "ocicle/worker.js?worker&url";

let compiled: Promise<WebAssembly.Module> | undefined;
/** The address of the script of all workers. It stays valid as long as the page. */
let script: string | undefined;

export function bytesOf(dataUrl: string): Uint8Array<ArrayBuffer> {
  const text = atob(dataUrl.slice(dataUrl.indexOf(",") + 1));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function module(): Promise<WebAssembly.Module> {
  compiled ??= import("ocicle/ocicle_bg.wasm?inline").then((wasm) =>
    WebAssembly.compile(bytesOf(wasm.default)),
  );
  return compiled;
}

function worker(): Worker {
  const code = `import ${JSON.stringify(new URL(workerUrl, location.href).href)};`;
  script ??= URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  return new Worker(script, { type: "module" });
}

export async function openStore(source: Source): Promise<Store> {
  return open(source, { module: await module(), worker });
}

export async function sample(): Promise<File> {
  const archive = await import("./sample.tar?inline");
  return new File([bytesOf(archive.default)], "sample.tar");
}
