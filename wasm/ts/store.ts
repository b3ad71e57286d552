import { Image, type InStore } from "./image.js";
import { LayerWork, type LayerBlob } from "./layers.js";
import type { Opening } from "./messages.js";
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

/** An OCI layout or archive. What is edited stays in memory until {@link archive} gives all of it. */
export class Store {
  readonly kind: StoreKind;
  readonly #remote: Remote;
  readonly #pool: Pool;
  readonly #origin: Origin;
  readonly #layers = new Map<string, LayerWork>();

  /** @internal */
  constructor(kind: StoreKind, remote: Remote, pool: Pool, origin: Origin) {
    this.kind = kind;
    this.#remote = remote;
    this.#pool = pool;
    this.#origin = origin;
  }

  /** As `ocicle ls --json`. */
  async list(): Promise<Listing> {
    return JSON.parse(await this.#remote.call("list", undefined)) as Listing;
  }

  /** As `ocicle resolve --json`; `fragment` is what follows `#` in a reference. */
  async resolve(fragment?: string): Promise<Resolution> {
    return JSON.parse(await this.#remote.call("resolve", fragment)) as Resolution;
  }

  /** Opens an image: its manifest and config are read, its layers are not. */
  async image(fragment?: string): Promise<Image> {
    const found = await this.#remote.call("image", fragment);
    const blobs = JSON.parse(found.layers) as LayerBlob[];
    return new Image(this.#remote, found, blobs.map((blob) => ({ ...blob, work: this.#work(blob) })));
  }

  /** The bytes of a document or any other blob, not verified; 16 MiB at most of one that was not written here. */
  blob(digest: string): Promise<Uint8Array> {
    return this.#remote.call("blob", digest);
  }

  /** As `ocicle check --json`: everything is read and verified. */
  async check(options: RunOptions = {}): Promise<CheckReport> {
    const total = this.#size();
    return JSON.parse(await this.#pool.run("check", await this.#opening(), { ...options, total })) as CheckReport;
  }

  /** As `ocicle diff --json`; the images may be of different stores. Rejects if a layer cannot be verified. */
  async diff(before: Image, after: Image, options: RunOptions & { semantic?: boolean } = {}): Promise<Compared> {
    const { semantic = false, ...run } = options;
    const ours = await Promise.all([before, after].map((image) => image.in(this.#remote, run)));
    const [first, second] = ours as [InStore, InStore];
    try {
      const argument = { before: first.number, after: second.number, semantic };
      return JSON.parse(await this.#remote.call("diff", argument)) as Compared;
    } finally {
      await Promise.all(ours.map((image) => image.giveBack()));
    }
  }

  /** As `ocicle config`. Gives the new digest. */
  configure(fragment: string | undefined, edit: ConfigEdit, options: EditOptions = {}): Promise<string> {
    return this.#remote.call("configure", { fragment, edit: JSON.stringify(edit), options: encoded(options) });
  }

  /** As `ocicle insert` of a directory: files become a new layer, below a path of the image. Gives the new digest. */
  async insert(
    fragment: string | undefined,
    target: string,
    files: readonly NewFile[],
    options: EditOptions = {},
  ): Promise<string> {
    const { created = new Date() } = options;
    const entries = files.map(({ path, content, mode = 0o644, uid = 0, gid = 0, mtime }) => {
      const modified = content instanceof File ? new Date(content.lastModified) : created;
      return { path, mode, uid, gid, mtime: time(mtime ?? modified) };
    });
    const contents = await Promise.all(files.map(({ content }) => bytes(content)));
    return this.#remote.call(
      "insert",
      { fragment, target, files: JSON.stringify(entries), contents, options: encoded({ ...options, created }) },
    );
  }

  /** Everything as an `oci-archive`, with what was edited; the bytes are those of `ocicle copy`. */
  async archive(options: RunOptions = {}): Promise<Blob> {
    return this.#pool.run("archive", await this.#opening(), { ...options, total: this.#size() });
  }

  /** Ends all workers. What is not finished is rejected. */
  close(): void {
    const reason = new DOMException("the store was closed", "AbortError");
    this.#pool.end(reason);
    this.#remote.end(reason);
  }

  /** Bytes that the worker of this store has taken; it gives none back before it ends. */
  memory(): Promise<number> {
    return this.#remote.call("memory", undefined);
  }

  #work(blob: LayerBlob): LayerWork {
    const key = `${blob.descriptor.digest} ${blob.diffId}`;
    let work = this.#layers.get(key);
    if (work === undefined) {
      work = new LayerWork(blob, this.#remote, this.#pool, this.#origin);
      this.#layers.set(key, work);
    }
    return work;
  }

  async #opening(): Promise<Opening> {
    return { origin: this.#origin, kind: this.kind, changes: await this.#remote.call("changes", undefined) };
  }

  /** Bytes of all that was opened; 0 where nobody knows. */
  #size(): number {
    if ("archive" in this.#origin) return sizeOf(this.#origin.archive);
    if (!("files" in this.#origin)) return 0;
    return [...this.#origin.files.values()].reduce((sum, part) => sum + sizeOf(part), 0);
  }
}

function encoded({ tag, created = new Date() }: EditOptions): string {
  return JSON.stringify({ tag, created: time(created) });
}

/** Seconds and nanoseconds. */
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
