/** Inspects and changes OCI container images in Node. */

import { readFile, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";

import { answer } from "./bridge.js";
import { OcicleError } from "./error.js";
import { isRegistry, originOf } from "./input.js";
import { checkOptions, openOrigin, type Platform } from "./open.js";
import type { Origin, Part } from "./part.js";
import type { Store } from "./store.js";
import type { OpenOptions, Source } from "./types.js";

export { OcicleError } from "./error.js";
export { Image } from "./image.js";
export { fromDataTransfer } from "./input.js";
export { Store } from "./store.js";
export type * from "./types.js";

/** The blobs that the main thread reads for workers. */
class Held {
  readonly blobs: Blob[] = [];

  part(blob: Blob): Part {
    return { held: this.blobs.push(blob) - 1, start: 0, size: blob.size };
  }
}

const node = (held: Held): Platform => ({
  module: async () => {
    const bytes = await readFile(new URL("./wasm/ocicle_bg.wasm", import.meta.url));
    return WebAssembly.compile(new Uint8Array(bytes));
  },
  spawn: () => {
    // Options of the program, such as `--input-type`, must not apply to the worker.
    const started = new Worker(new URL("./node-worker.js", import.meta.url), { execArgv: [] });
    const { port1, port2 } = new MessageChannel();
    // An idle worker does not keep the program running.
    started.unref();
    answer(port1, held.blobs);
    let waiting = 0;
    const hold = (step: number): void => {
      waiting += step;
      if (waiting > 0) started.ref();
      else started.unref();
    };
    return {
      post: (message, transfer) => {
        if ("module" in message) return started.postMessage({ ...message, bridge: port2 }, [port2]);
        hold(1);
        started.postMessage(message, transfer as ArrayBuffer[]);
      },
      listen: (onReply, onEnd) => {
        started.on("message", (reply) => {
          if (!("read" in reply)) hold(-1);
          onReply(reply);
        });
        started.on("error", (error) => onEnd(error.message));
      },
      terminate: () => {
        port1.close();
        void started.terminate();
      },
    };
  },
  part: (blob) => held.part(blob),
  cores: availableParallelism,
});

/**
 * Opens an OCI layout, an OCI archive, a Docker archive or a repository of a registry: a path, or anything a
 * browser can open. Reads no more than the list of its images.
 *
 * Rejects with an `OcicleError`, or with the reason of `signal`.
 */
export async function open(source: Source, options: OpenOptions = {}): Promise<Store> {
  checkOptions(options, "options");
  const held = new Held();
  const hold = (part: Part): Part => ("blob" in part ? held.part(part.blob) : part);
  const found = await origin(source, options);
  let crossing = found;
  if ("archive" in found) crossing = { archive: hold(found.archive) };
  if ("files" in found) {
    crossing = { files: new Map([...found.files].map(([path, part]) => [path, hold(part)])) };
  }
  return openOrigin(crossing, options, node(held));
}

async function origin(source: Source, { signal }: OpenOptions): Promise<Origin> {
  if (source instanceof URL && source.protocol === "file:") return origin(fileURLToPath(source), {});
  if (typeof source !== "string" || isRegistry(source)) return originOf(source, signal);
  const found = await stat(source).catch((error: NodeJS.ErrnoException) => {
    throw new OcicleError(error.code === "ENOENT" ? "notFound" : "io", error.message, { cause: error });
  });
  if (found.isDirectory()) return { directory: source };
  return { archive: { path: source, start: 0, size: found.size } };
}
