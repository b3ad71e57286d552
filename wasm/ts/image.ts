import {
  callback,
  count as number,
  expected,
  json,
  options as optionsOf,
  ordinal,
  RUN,
  text,
} from "./arguments.js";
import { OcicleError } from "./error.js";
import type { LayerBlob, LayerWork } from "./layers.js";
import type { LayerIndex, Lent } from "./messages.js";
import type { Remote } from "./remote.js";
import type { Shared } from "./shared.js";
import type { Box, Dialect, Files, Layer, Page, RowQuery, RunOptions, Stat, Waste, Why } from "./types.js";

/** A runnable image of a {@link Store}. */
export class Image {
  /** The digest of the manifest. */
  readonly digest: string;
  readonly #store: Remote;
  readonly #image: number;
  readonly #entries: readonly Entry[];
  readonly #listeners = new Set<() => void>();
  #layers: readonly Layer[] | undefined;
  /** The versions of the indexes that the worker has merged. */
  #seen = "";

  /** @internal */
  constructor(store: Remote, found: { image: number; digest: string }, entries: readonly Entry[]) {
    this.digest = found.digest;
    this.#store = store;
    this.#image = found.image;
    this.#entries = entries;
    for (const { work } of entries) work.listen(this.#changed);
  }

  /** The layers as they are now, the base first. The array is a new one whenever a layer changes. */
  get layers(): readonly Layer[] {
    return (this.#layers ??= this.#entries.map(layerOf));
  }

  /** Calls back after each change of {@link layers}. Returns a function that ends it. */
  watch(listener: () => void): () => void {
    callback(listener, "listener");
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns the result of `ocicle stat`. */
  async stat(): Promise<Stat> {
    return JSON.parse(await this.#store.call("stat", this.#image)) as Stat;
  }

  /**
   * Lists the files of all layers. Large layers are not hashed yet, so their lists are not verified. A layer
   * that cannot be read becomes `failed`; the others are listed all the same.
   */
  async scan(options: RunOptions = {}): Promise<void> {
    optionsOf(RUN)(options, "options");
    return this.#all((layer) => layer.listed, options);
  }

  /** Verifies size, digest and diff_id of each layer. A layer that does not match becomes `failed`. */
  async verify(options: RunOptions = {}): Promise<void> {
    optionsOf(RUN)(options, "options");
    const { signal, onProgress } = options;
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

  /** Returns `count` rows of the file tree, beginning with row `from`. Layers that failed are left out. */
  async rows(query: RowQuery, from: number, count: number): Promise<Page> {
    const argument = { image: this.#image, query: json(query, "query"), from, count };
    number(from, "from");
    number(count, "count");
    await this.#look();
    return JSON.parse(await this.#store.call("rows", argument)) as Page;
  }

  /**
   * Returns the zero-based position of a path among the rows of a query; `undefined` if it is not visible.
   */
  async position(query: RowQuery, path: string): Promise<number | undefined> {
    const argument = { image: this.#image, query: json(query, "query"), path };
    text(path, "path");
    await this.#look();
    return this.#store.call("position", argument);
  }

  /**
   * Returns the sizes of directories and files as nested boxes. Anything smaller than one of `parts` parts
   * (1000 by default) of the whole has no box of its own.
   */
  async treemap(options: { by?: "directory" | "layer"; path?: string; parts?: number } = {}): Promise<Box> {
    optionsOf({ by: grouping, path: text, parts: ordinal })(options, "options");
    await this.#look();
    const { by, path = "/", parts = 1000 } = options;
    const argument = { image: this.#image, byLayer: by === "layer", path, parts };
    return JSON.parse(await this.#store.call("areas", argument)) as Box;
  }

  /**
   * Returns the result of `ocicle files`: everything at and below a path, or the changes of a layer there.
   */
  async files(options: { path?: string; layer?: number } = {}): Promise<Files> {
    optionsOf({ path: text, layer: number })(options, "options");
    await this.#look();
    const { path = "/", layer } = options;
    return JSON.parse(await this.#store.call("files", { image: this.#image, path, layer })) as Files;
  }

  /**
   * Returns the content of a file, as `ocicle cat`; links are followed. With `layer`, as that layer has it,
   * like `ocicle cat --layer`: whatever later layers do, and links are not followed. It is verified if its
   * layer is.
   */
  async read(path: string, options: { layer?: number } = {}): Promise<Blob> {
    text(path, "path");
    optionsOf({ layer: number })(options, "options");
    const { layer } = options;
    await this.#look();
    const failed = layer === undefined ? undefined : this.layers[layer - 1]?.error;
    if (failed !== undefined) throw new OcicleError(failed.kind, failed.message);
    const pieces = await this.#store.call("read", { image: this.#image, path, layer });
    return new Blob(pieces as Uint8Array<ArrayBuffer>[]);
  }

  /** Returns the result of `ocicle why`. */
  async why(path: string): Promise<Why> {
    text(path, "path");
    await this.#look();
    return JSON.parse(await this.#store.call("why", { image: this.#image, path })) as Why;
  }

  /** Returns the result of `ocicle waste`. Rejects if a layer cannot be verified. */
  async waste(options: RunOptions = {}): Promise<Waste> {
    optionsOf(RUN)(options, "options");
    await this.#verified(options);
    return JSON.parse(await this.#store.call("waste", this.#image)) as Waste;
  }

  /** Returns the output of `ocicle mtree`. Rejects if a layer cannot be verified. */
  async mtree(dialect: Dialect = "native", options: RunOptions = {}): Promise<Uint8Array> {
    text(dialect, "dialect");
    optionsOf(RUN)(options, "options");
    await this.#verified(options);
    return this.#store.call("mtree", { image: this.#image, dialect });
  }

  /**
   * Frees the memory that the image takes. What was read of a layer is forgotten with the last image that has
   * it.
   */
  async close(): Promise<void> {
    for (const { work } of this.#entries) work.unlisten(this.#changed);
    this.#listeners.clear();
    await this.#store.call("free", this.#image);
  }

  /** @internal Verifies all layers; returns the image for the worker of a store. */
  async in(store: Remote, options: RunOptions): Promise<number | Lent> {
    await this.#verified(options);
    return store === this.#store ? this.#image : this.#store.call("lend", this.#image);
  }

  async #verified(options: RunOptions): Promise<void> {
    await this.verify(options);
    const failed = this.layers.find(({ error }) => error !== undefined)?.error;
    if (failed !== undefined) throw new OcicleError(failed.kind, failed.message);
    await this.#look();
  }

  /** Makes the worker merge the latest indexes. */
  async #look(): Promise<void> {
    await this.scan();
    // Until all layers are verified, the first merge serves.
    const isSettled = this.#entries.every(({ work }) => work.state.state !== "listed");
    const version = this.#entries.map(({ work }) => work.version).join();
    if (this.#seen !== "" && (this.#seen === version || !isSettled)) return;
    this.#seen = version;
    const indexes = this.#entries.flatMap(({ work }, layer): LayerIndex[] => {
      const fresh = work.take();
      return fresh === undefined ? [] : [{ layer, ...fresh }];
    });
    const transfer = indexes.flatMap(({ index }) => index?.buffer ?? []) as ArrayBuffer[];
    await this.#store.call("look", { image: this.#image, indexes }, { transfer });
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
        // Also where nothing had to be read, or reading failed.
        onStep({ done: layer.size });
      }),
    );
  }

  /** The layers whose work is not done yet. */
  #left(of: (layer: LayerWork) => Shared): LayerWork[] {
    return [...new Set(this.#entries.map(({ work }) => work))].filter((layer) => !of(layer).done);
  }

  readonly #changed = (): void => {
    this.#layers = undefined;
    for (const listener of this.#listeners) listener();
  };
}

const grouping = expected('"directory" or "layer"', (value) => value === "directory" || value === "layer");

/** A layer of an image. Images share the work on a layer, but not the command that made it. */
export interface Entry extends LayerBlob {
  work: LayerWork;
}

function sizeOf(layers: readonly LayerWork[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

function layerOf(entry: Entry, position: number): Layer {
  const { digest, diffId, mediaType, size, createdBy, work } = entry;
  const layer = { layer: position + 1, digest, diffId, mediaType, size };
  return { ...layer, ...(createdBy !== null && { createdBy }), ...elsewhere(entry), ...work.state };
}

/** The addresses of a layer that the store does not have. */
function elsewhere({ place, descriptor }: LayerBlob): Pick<Layer, "urls"> {
  const { urls } = JSON.parse(place === null ? descriptor : "{}") as Pick<Layer, "urls">;
  return urls === undefined ? {} : { urls };
}
