/**
 * The package, under a policy that forbids every connection: the wasm module comes inside a script, and workers are blobs, which
 * inherit the page's policy where a worker with an address of its own would not.
 */
import { open, type Source, type Store } from "ocicle";
import workerUrl from "ocicle/worker.js?worker&url";

let compiled: Promise<WebAssembly.Module> | undefined;

export function bytesOf(dataUrl: string): Uint8Array<ArrayBuffer> {
  const text = atob(dataUrl.slice(dataUrl.indexOf(",") + 1));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function module(): Promise<WebAssembly.Module> {
  compiled ??= import("ocicle/ocicle_bg.wasm?inline").then((wasm) => WebAssembly.compile(bytesOf(wasm.default)));
  return compiled;
}

function worker(): Worker {
  const address = new URL(workerUrl, location.href).href;
  const script = URL.createObjectURL(new Blob([`import ${JSON.stringify(address)};`], { type: "text/javascript" }));
  const made = new Worker(script, { type: "module" });
  // The worker has read the blob once it says its first word.
  made.addEventListener("message", () => URL.revokeObjectURL(script), { once: true });
  return made;
}

export async function openStore(source: Source): Promise<Store> {
  return open(source, { module: await module(), worker });
}

export async function sample(): Promise<File> {
  const archive = await import("./sample.tar?inline");
  return new File([bytesOf(archive.default)], "sample.tar");
}
