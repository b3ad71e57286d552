/** Look into OCI container images, and change them: in a browser, where nothing leaves the page. */

import { OcicleError } from "./error.js";
import { originOf } from "./input.js";
import { openOrigin, type Platform } from "./open.js";
import type { Store } from "./store.js";
import type { OpenOptions, Source } from "./types.js";

export { OcicleError } from "./error.js";
export { Image } from "./image.js";
export { fromDataTransfer } from "./input.js";
export { Store } from "./store.js";
export type * from "./types.js";

const browser: Platform = {
  module: () => WebAssembly.compileStreaming(fetch(new URL("./wasm/ocicle_bg.wasm", import.meta.url))),
  spawn: ({ worker }) => {
    // Bundlers look for just this form.
    const started = worker?.() ?? new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    return {
      post: (message, transfer) => started.postMessage(message, transfer),
      listen: (onReply, onEnd) => {
        started.onmessage = ({ data }) => onReply(data);
        started.onerror = ({ message }) => onEnd(message || "it does not load");
      },
      terminate: () => started.terminate(),
    };
  },
  cores: () => navigator.hardwareConcurrency,
};

/**
 * Opens an OCI layout, or an archive of OCI's or Docker's format. Nothing is read yet but what says which images there are.
 *
 * Rejects with an {@link OcicleError}, or with the reason of `signal`.
 */
export async function open(source: Source, options: OpenOptions = {}): Promise<Store> {
  if (typeof source === "string") throw new OcicleError("misuse", "a browser opens no paths: expected a File, or a URL");
  return openOrigin(await originOf(source, options.signal), options, browser);
}
