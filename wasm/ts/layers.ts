import { OcicleError } from "./error.js";
import { slice, sizeOf, type Origin, type Part } from "./part.js";
import type { Pool } from "./pool.js";
import type { Remote } from "./remote.js";
import { Shared } from "./shared.js";
import type { Descriptor, Layer, RunOptions } from "./types.js";

/** A layer of an image, as the wasm module has it. */
export interface LayerBlob {
  descriptor: Descriptor;
  diffId: string;
  createdBy: string | null;
}

type State = Pick<Layer, "state" | "listedFrom" | "error">;

/** Layers up to so many bytes are verified at once: listing them first saves nothing. */
const SMALL = 4 << 20;

/** Reading one layer: first what is in it, then whether that is what was promised. Images that have the same layer share it. */
export class LayerWork {
  #state: State = { state: "waiting" };
  readonly listed: Shared;
  readonly verified: Shared;
  /** Changes with each index that is kept or forgotten. */
  version = 0;
  readonly listeners = new Set<() => void>();

  constructor(
    private readonly blob: LayerBlob,
    private readonly store: Remote,
    private readonly pool: Pool,
    private readonly origin: Origin,
  ) {
    this.listed = new Shared(async (options) => {
      if (this.#state.state !== "waiting") return;
      await this.#read(this.size <= SMALL, options);
    });
    this.verified = new Shared(async (options) => {
      if (this.#state.state === "verified" || this.#state.state === "failed") return;
      await this.#read(true, options);
    });
  }

  /** Bytes of the blob. */
  get size(): number {
    return this.blob.descriptor.size;
  }

  get state(): State {
    return this.#state;
  }

  /** What is wrong with it becomes its state; only what is wrong with the call is thrown. */
  async #read(verify: boolean, options: Required<RunOptions>): Promise<void> {
    const { descriptor: layer, diffId } = this.blob;
    const descriptor = JSON.stringify(layer);
    try {
      const part = await this.#part();
      const total = sizeOf(part);
      const { index, toc } = await this.pool.run("index", { part, descriptor, diffId, verify }, { ...options, total });
      await this.store.call("keep", { descriptor, diffId, index }, { transfer: [index.buffer as ArrayBuffer] });
      this.#set(verify ? { state: "verified" } : { state: "listed", listedFrom: toc ? "toc" : "archive" });
    } catch (error) {
      if (!(error instanceof OcicleError) || options.signal.aborted) throw error;
      await this.store.call("forget", { digest: layer.digest, diffId });
      this.#set({ state: "failed", error: { kind: error.kind, message: error.message } });
    }
  }

  /** The blob alone, so that a worker need not know the store. */
  async #part(): Promise<Part> {
    const { digest, data } = this.blob.descriptor;
    // The descriptor brings the content along.
    if (data !== undefined) return { bytes: new Uint8Array() };
    const at = JSON.parse(await this.store.call("locate", digest)) as
      | { path: string; size: number }
      | { start: number; size: number }
      | null;
    const { origin } = this;
    let part: Part | undefined;
    if (at === null) part = { bytes: await this.store.call("blob", digest) };
    else if ("archive" in origin && "start" in at) part = slice(origin.archive, at.start, at.size);
    else if ("files" in origin && "path" in at) part = origin.files.get(at.path);
    else if ("base" in origin && "path" in at) part = { url: new URL(at.path, origin.base).href, start: 0, size: at.size };
    else if ("directory" in origin && "path" in at) {
      part = { path: `${origin.directory}/${at.path}`, start: 0, size: at.size };
    }
    if (part === undefined) throw new OcicleError("corrupt", `blob ${digest} is not in the store`);
    return part;
  }

  #set(state: State): void {
    this.#state = state;
    this.version += 1;
    for (const listener of this.listeners) listener();
  }
}
