import { OcicleError } from "./error.js";
import { slice, sizeOf, type Origin, type Part, type RemoteBlob } from "./part.js";
import type { Pool } from "./pool.js";
import type { Remote } from "./remote.js";
import { Shared } from "./shared.js";
import type { Layer, RunOptions } from "./types.js";

/** A layer of an image, as the wasm module lists it. */
export interface LayerBlob {
  digest: string;
  diffId: string;
  mediaType: string;
  size: number;
  createdBy: string | null;
  /** The JSON of its descriptor. */
  descriptor: string;
  /** `null` if the store does not have the blob. */
  place: Place | null;
}

/** The place of a blob. */
export type Place =
  | { in: "layout"; path: string; size: number }
  | { in: "archive"; start: number; size: number }
  | { in: "registry"; size: number }
  /** The `data` of its descriptor. */
  | { in: "descriptor" }
  /** The memory of the store's worker: the blob of an edit. */
  | { in: "memory" };

type State = Pick<Layer, "state" | "listedFrom" | "error">;

/** Layers up to this size are verified at once: listing them first would not be faster. */
const SMALL = 4 << 20;

/**
 * The reading of one layer: first it is listed, then verified. Images of a store that have the same layer
 * share it.
 */
export class LayerWork {
  #state: State = { state: "waiting" };
  readonly listed: Shared;
  readonly verified: Shared;
  /** Grows with each new index. */
  version = 0;
  /** The latest index, until {@link take} hands it over. */
  #fresh: { index: Uint8Array | undefined } | undefined;
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly blob: LayerBlob,
    private readonly store: Remote,
    private readonly pool: Pool,
    private readonly origin: Origin,
    /** Called when the last listener is removed. */
    private readonly onUnused: () => void,
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
    return this.blob.size;
  }

  get state(): State {
    return this.#state;
  }

  /** Calls back after each change of the state, until {@link unlisten}. */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
  }

  unlisten(listener: () => void): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.onUnused();
  }

  /** Returns the latest index if the store's worker does not have it yet. */
  take(): { index: Uint8Array | undefined } | undefined {
    const fresh = this.#fresh;
    this.#fresh = undefined;
    return fresh;
  }

  /** An error of the layer becomes its state; only an error of the call is thrown. */
  async #read(verify: boolean, options: Required<RunOptions>): Promise<void> {
    const { descriptor, diffId } = this.blob;
    try {
      const part = await this.#part();
      const argument = { part, descriptor, diffId, verify };
      const { index, toc } = await this.pool.run("index", argument, { ...options, total: sizeOf(part) });
      const listed: State = { state: "listed", listedFrom: toc ? "toc" : "archive" };
      this.#set(verify ? { state: "verified" } : listed, index);
    } catch (error) {
      if (!(error instanceof OcicleError) || options.signal.aborted) throw error;
      this.#set({ state: "failed", error: { kind: error.kind, message: error.message } }, undefined);
    }
  }

  /** The bytes of the blob, for a worker that does not know the store. */
  async #part(): Promise<Part | RemoteBlob> {
    const { place, digest } = this.blob;
    if (place?.in === "memory") return { bytes: await this.store.call("blob", digest) };
    // The worker reads the descriptor, which has the whole blob.
    if (place?.in === "descriptor") return { bytes: new Uint8Array() };
    const part = place === null ? undefined : partAt(this.origin, place);
    if (part === undefined) throw new OcicleError("corrupt", `blob ${digest} is not in the store`);
    return part;
  }

  #set(state: State, index: Uint8Array | undefined): void {
    this.#state = state;
    this.#fresh = { index };
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}

function partAt(
  origin: Origin,
  place: Extract<Place, { size: number }>,
): Part | RemoteBlob | undefined {
  const { size } = place;
  if (place.in === "registry") {
    return "registry" in origin ? { registry: origin.registry, size } : undefined;
  }
  if (place.in === "archive") {
    return "archive" in origin ? slice(origin.archive, place.start, size) : undefined;
  }
  if ("files" in origin) return origin.files.get(place.path);
  if ("base" in origin) return { url: new URL(place.path, origin.base).href, start: 0, size };
  return "directory" in origin ? { path: `${origin.directory}/${place.path}`, start: 0, size } : undefined;
}
