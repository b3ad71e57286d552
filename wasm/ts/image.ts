import { OcicleError } from "./error.js";
import type { LayerBlob, LayerWork } from "./layers.js";
import type { Remote } from "./remote.js";
import type { Shared } from "./shared.js";
import type {
  Box,
  Dialect,
  Files,
  Layer,
  Page,
  RowQuery,
  RunOptions,
  Stat,
  Waste,
  Why,
} from "./types.js";

/** A runnable image of a {@link Store}. */
export class Image {
  /** Of the manifest. */
  readonly digest: string;
  readonly #store: Remote;
  readonly #image: number;
  readonly #entries: readonly Entry[];
  readonly #listeners = new Set<() => void>();
  #layers: readonly Layer[] | undefined;
  /** The indexes that the worker's view of the image was made of. */
  #seen = "";

  /** @internal */
  constructor(store: Remote, { image, digest }: { image: number; digest: string }, entries: readonly Entry[]) {
    this.digest = digest;
    this.#store = store;
    this.#image = image;
    this.#entries = entries;
    for (const { work } of entries) work.listeners.add(this.#changed);
  }

  /** The layers, the base first, as they are now: a new array whenever one changes. */
  get layers(): readonly Layer[] {
    return (this.#layers ??= this.#entries.map(layerOf));
  }

  /** Calls back after each change of {@link layers}. Gives what ends that. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As `ocicle stat --json`. */
  async stat(): Promise<Stat> {
    return JSON.parse(await this.#store.call("stat", this.#image)) as Stat;
  }

  /**
   * Lists what is in the layers. Large ones are not hashed, so nobody vouches for the list yet. A layer that cannot be read becomes `failed`,
   * and the others are listed all the same.
   */
  scan(options: RunOptions = {}): Promise<void> {
    return this.#all((layer) => layer.listed, options);
  }

  /** Verifies size, digest and diff_id of each layer; what differs makes it `failed`. */
  async verify({ signal, onProgress }: RunOptions = {}): Promise<void> {
    const [listed, verified] = [(layer: LayerWork) => layer.listed, (layer: LayerWork) => layer.verified];
    const first = sizeOf(this.#left(listed));
    const total = first + sizeOf(this.#left(verified));
    const run = (before: number): RunOptions => ({
      ...(signal && { signal }),
      ...(onProgress && { onProgress: ({ done }) => onProgress({ done: before + done, total }) }),
    });
    await this.#all(listed, run(0));
    await this.#all(verified, run(first));
  }

  /** Rows of the file tree, some at a time. Layers that failed are left out. */
  async rows(query: RowQuery, from: number, count: number): Promise<Page> {
    await this.#look();
    const argument = { image: this.#image, query: JSON.stringify(query), from, count };
    return JSON.parse(await this.#store.call("rows", argument)) as Page;
  }

  /** Where a path is among the rows of a query, from 0, if it shows. */
  async position(query: RowQuery, path: string): Promise<number | undefined> {
    await this.#look();
    return this.#store.call("position", { image: this.#image, query: JSON.stringify(query), path });
  }

  /** Where the bytes are. What is smaller than one of `parts` parts (1000 by default) has no box of its own. */
  async treemap(options: { by?: "directory" | "layer"; path?: string; parts?: number } = {}): Promise<Box> {
    await this.#look();
    const { by, path = "/", parts = 1000 } = options;
    const argument = { image: this.#image, byLayer: by === "layer", path, parts };
    return JSON.parse(await this.#store.call("boxes", argument)) as Box;
  }

  /** As `ocicle files --json`: everything at and below a path, or what one layer does there. */
  async files(options: { path?: string; layer?: number } = {}): Promise<Files> {
    await this.#look();
    const { path = "/", layer } = options;
    return JSON.parse(await this.#store.call("files", { image: this.#image, path, layer })) as Files;
  }

  /** The content of a file, as `ocicle cat`; links are followed. It is verified if its layer is. */
  async read(path: string): Promise<Blob> {
    await this.#look();
    const pieces = await this.#store.call("read", { image: this.#image, path });
    return new Blob(pieces as Uint8Array<ArrayBuffer>[]);
  }

  /** As `ocicle why --json`. */
  async why(path: string): Promise<Why> {
    await this.#look();
    return JSON.parse(await this.#store.call("why", { image: this.#image, path })) as Why;
  }

  /** As `ocicle waste --json`. Rejects if a layer cannot be verified. */
  async waste(options: RunOptions = {}): Promise<Waste> {
    await this.#wholly(options);
    return JSON.parse(await this.#store.call("waste", this.#image)) as Waste;
  }

  /** As `ocicle mtree`. Rejects if a layer cannot be verified. */
  async mtree(dialect: Dialect = "native", options: RunOptions = {}): Promise<Uint8Array> {
    await this.#wholly(options);
    return this.#store.call("mtree", { image: this.#image, dialect });
  }

  /** Frees what the worker knows of the image. */
  async close(): Promise<void> {
    for (const { work } of this.#entries) work.listeners.delete(this.#changed);
    await this.#store.call("free", this.#image);
  }

  /** @internal The image in a store, once all layers are verified. */
  async in(store: Remote, options: RunOptions): Promise<InStore> {
    await this.#wholly(options);
    if (store === this.#store) return { number: this.#image, giveBack: async () => {} };
    const number = await store.call("borrow", await this.#store.call("lend", this.#image));
    return { number, giveBack: async () => store.call("free", number) };
  }

  async #wholly(options: RunOptions): Promise<void> {
    await this.verify(options);
    const failed = this.layers.find(({ error }) => error !== undefined)?.error;
    if (failed !== undefined) throw new OcicleError(failed.kind, failed.message);
    await this.#look();
  }

  /** Makes sure that the worker has seen the indexes as they are now. */
  async #look(): Promise<void> {
    await this.scan();
    // While layers are being verified, what was listed serves.
    const isSettled = this.#entries.every(({ work }) => work.state.state !== "listed");
    const version = this.#entries.map(({ work }) => work.version).join();
    if (this.#seen !== "" && (this.#seen === version || !isSettled)) return;
    this.#seen = version;
    await this.#store.call("look", this.#image);
  }

  async #all(of: (layer: LayerWork) => Shared, { signal, onProgress }: RunOptions): Promise<void> {
    const work = this.#left(of);
    const total = sizeOf(work);
    const done = new Map<LayerWork, number>();
    await Promise.all(
      work.map(async (layer) => {
        const onStep = (step: { done: number }): void => {
          done.set(layer, step.done);
          onProgress?.({ done: [...done.values()].reduce((sum, bytes) => sum + bytes, 0), total });
        };
        await of(layer).run({ ...(signal && { signal }), ...(onProgress && { onProgress: onStep }) });
        // Also where there was nothing to read, or it failed on the way.
        onStep({ done: layer.size });
      }),
    );
  }

  /** The layers with which it is not done yet. */
  #left(of: (layer: LayerWork) => Shared): LayerWork[] {
    return [...new Set(this.#entries.map(({ work }) => work))].filter((layer) => !of(layer).done);
  }

  readonly #changed = (): void => {
    this.#layers = undefined;
    for (const listener of this.#listeners) listener();
  };
}

/** The number of an image in a store, for a while. */
export interface InStore {
  number: number;
  giveBack(): Promise<void>;
}

/** A layer in its place. Images share its work, but not the command that made it. */
export interface Entry extends LayerBlob {
  work: LayerWork;
}

function sizeOf(layers: readonly LayerWork[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

function layerOf({ descriptor, diffId, createdBy, work }: Entry, position: number): Layer {
  const { digest, mediaType, size } = descriptor;
  return { layer: position + 1, digest, diffId, mediaType, size, ...(createdBy !== null && { createdBy }), ...work.state };
}
