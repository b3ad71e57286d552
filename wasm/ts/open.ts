import {
  callback,
  expected,
  json,
  large,
  object,
  options as optionsOf,
  ordinal,
  RUN,
  text,
  type Check,
} from "./arguments.js";
import { OcicleError } from "./error.js";
import { sizeOf, type Origin, type Part } from "./part.js";
import { Pool } from "./pool.js";
import { Remote, type Port } from "./remote.js";
import { Store } from "./store.js";
import type { OpenOptions } from "./types.js";

/** The differences between a browser and Node. */
export interface Platform {
  /** Loads the wasm module of the package. */
  module(): Promise<WebAssembly.Module>;
  spawn(options: OpenOptions): Port;
  /** Returns a blob as workers can read it. */
  part(blob: Blob): Part;
  /** Returns the number of threads that can run at the same time. */
  cores(): number;
}

const aModule = expected(
  "a WebAssembly.Module or its bytes",
  (value) =>
    value instanceof WebAssembly.Module || value instanceof ArrayBuffer || ArrayBuffer.isView(value),
);

const limits: Check = (value, name) => {
  object(value, name);
  for (const [limit, given] of Object.entries(value as object)) large(given, `${name}.${limit}`);
};

/** Checks the options of `open`. */
export const checkOptions = optionsOf({
  kind: text,
  ...RUN,
  module: aModule,
  worker: callback,
  workers: ordinal,
  limits,
});

let fetched: Promise<WebAssembly.Module> | undefined;

export async function openOrigin(origin: Origin, options: OpenOptions, platform: Platform): Promise<Store> {
  const { kind, signal } = options;
  const module = await moduleOf(options, platform);
  signal?.throwIfAborted();
  const start = { module, limits: json(options.limits ?? {}, "options.limits") };
  const spawn = (): Remote => new Remote(platform.spawn(options), start);
  const remote = spawn();
  const onAbort = (): void => remote.end(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  try {
    const plain = await decompressed(origin, options, remote, platform);
    const found = await remote.call("open", { origin: plain, kind });
    const workers = options.workers ?? Math.min(Math.max(platform.cores() - 1, 1), 4);
    return new Store(found, remote, new Pool(spawn, workers), plain);
  } catch (error) {
    remote.end(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Decompresses an archive once: layers are slices of what this returns. */
async function decompressed(
  origin: Origin,
  { onProgress }: OpenOptions,
  remote: Remote,
  platform: Platform,
): Promise<Origin> {
  if (!("archive" in origin)) return origin;
  const total = sizeOf(origin.archive);
  let done = 0;
  const onRead = (bytes: number): void => {
    done += bytes;
    onProgress?.({ done: Math.min(done, total), total });
  };
  const content = await remote.call("decompress", origin.archive, { onRead });
  if (content === undefined) return origin;
  onProgress?.({ done: total, total });
  return { archive: platform.part(content) };
}

async function moduleOf({ module }: OpenOptions, platform: Platform): Promise<WebAssembly.Module> {
  if (module instanceof WebAssembly.Module) return module;
  try {
    return await (module === undefined ? (fetched ??= platform.module()) : WebAssembly.compile(module));
  } catch (error) {
    if (module === undefined) fetched = undefined;
    throw new OcicleError("io", `the wasm module of ocicle did not load: ${String(error)}`, { cause: error });
  }
}
