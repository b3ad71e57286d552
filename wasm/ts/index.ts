/** Inspects and changes OCI container images in a browser. Nothing leaves the page. */

import { expected } from "./arguments.js";
import { originOf } from "./input.js";
import { checkOptions, openOrigin, type Platform } from "./open.js";
import type { Store } from "./store.js";
import type { OpenOptions, Source } from "./types.js";

export { OcicleError } from "./error.js";
export { Image } from "./image.js";
export { fromDataTransfer } from "./input.js";
export { Store } from "./store.js";
export type * from "./types.js";

const aWorker = expected("a Worker", (value) => value instanceof Object && "postMessage" in value);

const browser: Platform = {
  module: () => WebAssembly.compileStreaming(fetch(new URL("./wasm/ocicle_bg.wasm", import.meta.url))),
  spawn: ({ worker }) => {
    // Bundlers recognise exactly this form.
    const started = worker?.() ?? new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    aWorker(started, "the result of options.worker");
    return {
      post: (message, transfer) => started.postMessage(message, transfer),
      listen: (onReply, onEnd) => {
        started.onmessage = ({ data }) => onReply(data);
        started.onerror = ({ message }) => onEnd(message || "it did not load");
      },
      terminate: () => started.terminate(),
    };
  },
  part: (blob) => ({ blob }),
  cores: () => navigator.hardwareConcurrency,
};

/**
 * Opens an OCI layout, an OCI archive, a Docker archive or a repository of a registry. Reads no more than the
 * list of its images.
 *
 * Rejects with an {@link OcicleError}, or with the reason of `signal`.
 */
export async function open(source: Source, options: OpenOptions = {}): Promise<Store> {
  checkOptions(options, "options");
  return openOrigin(await originOf(source, options.signal), options, browser);
}
