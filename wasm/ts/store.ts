import {
  count,
  date,
  expected,
  flag,
  json,
  listOf,
  optional,
  options as optionsOf,
  RUN,
  text,
} from "./arguments.js";
import { Image } from "./image.js";
import { LayerWork, type LayerBlob } from "./layers.js";
import type { Kept, Opening } from "./messages.js";
import { sizeOf, type Origin } from "./part.js";
import type { Pool } from "./pool.js";
import type { Remote } from "./remote.js";
import type {
  CheckReport,
  Compared,
  ConfigEdit,
  EditOptions,
  Listing,
  NewFile,
  Resolution,
  RunOptions,
  StoreKind,
} from "./types.js";

/** An OCI layout or archive. Edits stay in memory; {@link archive} writes everything. */
export class Store {
  readonly kind: StoreKind;
  readonly #remote: Remote;
  readonly #pool: Pool;
  readonly #origin: Origin;
  /** The layers of the open images. */
  readonly #layers = new Map<string, LayerWork>();

  /** @internal */
  constructor(kind: StoreKind, remote: Remote, pool: Pool, origin: Origin) {
    this.kind = kind;
    this.#remote = remote;
    this.#pool = pool;
    this.#origin = origin;
  }

  /** Returns the result of `ocicle ls`. */
  async list(): Promise<Listing> {
    return JSON.parse(await this.#remote.call("list", undefined)) as Listing;
  }

  /** Returns the result of `ocicle resolve`; `fragment` is the part of a reference after `#`. */
  async resolve(fragment?: string): Promise<Resolution> {
    checkFragment(fragment, "fragment");
    return JSON.parse(await this.#remote.call("resolve", fragment)) as Resolution;
  }

  /** Opens an image: reads manifest and config, but not the layers. */
  async image(fragment?: string): Promise<Image> {
    checkFragment(fragment, "fragment");
    const found = await this.#remote.call("image", fragment);
    const blobs = JSON.parse(found.layers) as LayerBlob[];
    return new Image(
      this.#remote,
      found,
      blobs.map((blob) => ({ ...blob, work: this.#work(blob) })),
    );
  }

  /**
   * Returns the bytes of a document or any other blob, not verified. Blobs over 16 MiB are refused, except
   * those of edits.
   */
  async blob(digest: string): Promise<Uint8Array> {
    text(digest, "digest");
    return this.#remote.call("blob", digest);
  }

  /** Reads and verifies everything; returns the result of `ocicle check`. */
  async check(options: RunOptions = {}): Promise<CheckReport> {
    optionsOf(RUN)(options, "options");
    const run = { ...options, total: this.#size() };
    return JSON.parse(await this.#pool.run("check", await this.#opening(), run)) as CheckReport;
  }

  /**
   * Returns the result of `ocicle diff`; the images may belong to different stores. Rejects if a layer cannot
   * be verified.
   */
  async diff(
    before: Image,
    after: Image,
    options: RunOptions & { semantic?: boolean } = {},
  ): Promise<Compared> {
    anImage(before, "before");
    anImage(after, "after");
    optionsOf({ ...RUN, semantic: flag })(options, "options");
    const { semantic = false, ...run } = options;
    const [first, second] = await Promise.all([before.in(this.#remote, run), after.in(this.#remote, run)]);
    const argument = { before: first, after: second, semantic };
    return JSON.parse(await this.#remote.call("diff", argument)) as Compared;
  }

  /** Changes the config of an image, as `ocicle config`. Returns the new digest. */
  async configure(
    fragment: string | undefined,
    edit: ConfigEdit,
    options: EditOptions = {},
  ): Promise<string> {
    checkFragment(fragment, "fragment");
    EDIT(options, "options");
    const argument = { fragment, edit: json(edit, "edit"), options: encoded(options) };
    return this.#remote.call("configure", argument);
  }

  /** Adds a layer with files below `target`, as `ocicle insert`. Returns the new digest. */
  async insert(
    fragment: string | undefined,
    target: string,
    files: readonly NewFile[],
    options: EditOptions = {},
  ): Promise<string> {
    checkFragment(fragment, "fragment");
    text(target, "target");
    listOf(newFile)(files, "files");
    EDIT(options, "options");
    const { created = new Date() } = options;
    const entries = files.map(({ path, content, mode = 0o644, uid = 0, gid = 0, mtime }) => {
      const modified = content instanceof File ? new Date(content.lastModified) : created;
      return { path, mode, uid, gid, mtime: time(mtime ?? modified) };
    });
    const contents = await Promise.all(files.map(({ content }) => bytes(content)));
    const encodedOptions = encoded({ ...options, created });
    const argument = { fragment, target, files: JSON.stringify(entries), contents, options: encodedOptions };
    return this.#remote.call("insert", argument);
  }

  /**
   * Returns the whole store as an `oci-archive`, with all edits. The bytes are those of `ocicle copy`; of an
   * archive that was edited, those of the same edit by `ocicle`, which keeps the `manifest.json` of
   * `docker save`.
   */
  async archive(options: RunOptions = {}): Promise<Blob> {
    optionsOf(RUN)(options, "options");
    return this.#pool.run("archive", await this.#opening(), { ...options, total: this.#size() });
  }

  /** Ends all workers. Calls that are not finished reject. */
  close(): void {
    const reason = new DOMException("the store was closed", "AbortError");
    this.#pool.end(reason);
    this.#remote.end(reason);
  }

  /** Returns the memory of the store's worker in bytes; it never shrinks. */
  memory(): Promise<number> {
    return this.#remote.call("memory", undefined);
  }

  /** @internal Counts what the worker keeps. */
  async kept(): Promise<Kept> {
    return this.#remote.call("kept", undefined);
  }

  #work(blob: LayerBlob): LayerWork {
    const key = `${blob.digest} ${blob.diffId}`;
    let work = this.#layers.get(key);
    if (work === undefined) {
      work = new LayerWork(blob, this.#remote, this.#pool, this.#origin, () => this.#layers.delete(key));
      this.#layers.set(key, work);
    }
    return work;
  }

  async #opening(): Promise<Opening> {
    return { origin: this.#origin, kind: this.kind, changes: await this.#remote.call("changes", undefined) };
  }

  /** The size of the opened source in bytes; 0 if unknown. */
  #size(): number {
    if ("archive" in this.#origin) return sizeOf(this.#origin.archive);
    if (!("files" in this.#origin)) return 0;
    return [...this.#origin.files.values()].reduce((sum, part) => sum + sizeOf(part), 0);
  }
}

const checkFragment = optional(text);
const anImage = expected("an Image", (value) => value instanceof Image);
const EDIT = optionsOf({ tag: text, created: date });
const CONTENT = expected(
  "a string, Uint8Array or Blob",
  (value) => typeof value === "string" || value instanceof Uint8Array || value instanceof Blob,
);
const NEW_FILE = { path: text, content: CONTENT, mode: count, uid: count, gid: count, mtime: date };

function newFile(value: unknown, name: string): void {
  optionsOf(NEW_FILE)(value, name);
  const { path, content } = value as NewFile;
  text(path, `${name}.path`);
  CONTENT(content, `${name}.content`);
}

function encoded({ tag, created = new Date() }: EditOptions): string {
  return JSON.stringify({ tag, created: time(created) });
}

/** Returns seconds and nanoseconds. */
function time(date: Date): [number, number] {
  const milliseconds = date.getTime();
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, (milliseconds - seconds * 1000) * 1_000_000];
}

async function bytes(content: NewFile["content"]): Promise<Uint8Array> {
  if (typeof content === "string") return new TextEncoder().encode(content);
  if (content instanceof Uint8Array) return content;
  return new Uint8Array(await content.arrayBuffer());
}
