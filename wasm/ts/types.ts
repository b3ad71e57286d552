/**
 * What goes in and comes out. Shapes with a `schemaVersion` are those of the command's `--json`, key by key.
 * Sizes are bytes, layers count from 1, modes are octal texts such as `"0755"`, times RFC 3339.
 *
 * A path is from the root, with a slash before it. One that is no text, or has a backslash, control
 * characters or such as turn the direction of writing in it, is escaped as in mtree(5); so an escaped one has
 * a backslash in it, and no other has. What takes a path takes both forms.
 */

/** The kinds of {@link OcicleError}, those of the library. */
export type ErrorKind =
  /** A reference that means several objects. */
  | "ambiguous"
  /** Corrupt, invalid or missing content: a digest, size or diff_id that differs, a broken document or layer, a blob that is absent. */
  | "corrupt"
  | "conflict"
  | "exists"
  /** The browser or the system failed to read. */
  | "io"
  /** A limit on untrusted input was passed. */
  | "limit"
  | "misuse"
  | "notFound"
  /** Valid, but nothing this package can do. */
  | "unsupported";

/** What can be opened. */
export type Source =
  /** An archive: a `File`, or any other `Blob`. */
  | Blob
  /** An archive in memory. */
  | ArrayBuffer
  | Uint8Array
  /** An archive; with a slash at the end, a layout. The server must answer `Range`. */
  | URL
  /** In Node, the path of an archive or layout. */
  | string
  /** A layout, as `<input webkitdirectory>` gives it; a single file is an archive. */
  | FileList
  | readonly File[]
  /** A layout, by the paths of its files. */
  | ReadonlyMap<string, Blob | Uint8Array>
  | FileSystemDirectoryHandle
  | FileSystemFileHandle;

export type StoreKind = "oci" | "oci-archive" | "docker-archive";

export interface OpenOptions {
  /** What it must be; found out by default. */
  kind?: StoreKind;
  signal?: AbortSignal;
  /** The wasm module, compiled or as bytes; by default it is fetched from beside the package. */
  module?: WebAssembly.Module | BufferSource;
  /** Makes a worker; by default one that runs `worker.js` of the package. */
  worker?: () => Worker;
  /** Most workers that read layers at the same time; by default one less than there are cores, 4 at most. */
  workers?: number;
}

/** Of anything that takes long. Aborting rejects with the signal's reason; nothing else is harmed. */
export interface RunOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Bytes read, of so many; of 0 where nobody knows. */
export interface Progress {
  done: number;
  total: number;
}

export interface Platform {
  os: string;
  architecture: string;
  variant?: string;
  "os.version"?: string;
  "os.features"?: string[];
}

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: Platform;
  artifactType?: string;
  annotations?: Record<string, string>;
  urls?: string[];
  data?: string;
}

/** `ocicle ls --json`. */
export interface Listing {
  schemaVersion: 1;
  entries: ListingEntry[];
}

export interface ListingEntry {
  tag: string | null;
  /** `index`, `manifest`, `config`, or else the media type. */
  kind: string;
  mediaType: string;
  digest: string;
  size: number;
  /** Bytes of config and layers, as stored; of manifests only. */
  imageSize: number | null;
  platform: Platform | null;
  artifactType: string | null;
  subject: string | null;
  attests: string | null;
  referrers: string[];
  shared: boolean;
  annotations: Record<string, string>;
  /** What follows `#` in a reference to exactly this place. */
  selector: string;
  /** Why it cannot be read, if it cannot. */
  problem: string | null;
  entries: ListingEntry[];
}

/** `ocicle resolve --json`. */
export interface Resolution {
  schemaVersion: 1;
  mediaType: string;
  digest: string;
  size: number;
  platform: Platform | null;
  /** What follows `#` in a reference to exactly this place. */
  selector: string;
  /** At how many places the object is that the reference means. */
  places: number;
  hops: Hop[];
}

/** A step on the way from `index.json` to an object. */
export interface Hop {
  /** The digest of an index. */
  index: string;
  /** In it, from 0. */
  position: number;
  descriptor: Descriptor;
}

/** `ocicle stat --json`; manifest and config are verbatim. */
export interface Stat {
  schemaVersion: 1;
  descriptor: Descriptor;
  manifest: Manifest;
  config: ImageConfig;
  history: HistoryRow[];
}

export interface Manifest {
  schemaVersion: 2;
  mediaType?: string;
  artifactType?: string;
  config: Descriptor;
  layers: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
  [more: string]: unknown;
}

/** image-spec, config.md. */
export interface ImageConfig {
  created?: string;
  author?: string;
  os: string;
  architecture: string;
  variant?: string;
  config?: {
    User?: string;
    Env?: string[];
    Entrypoint?: string[];
    Cmd?: string[];
    WorkingDir?: string;
    StopSignal?: string;
    Labels?: Record<string, string>;
    ExposedPorts?: Record<string, unknown>;
    Volumes?: Record<string, unknown>;
    Healthcheck?: { Test?: string[]; Interval?: number; Timeout?: number; StartPeriod?: number; Retries?: number };
    [more: string]: unknown;
  };
  rootfs: { type: "layers"; diff_ids: string[] };
  history?: HistoryEntry[];
  [more: string]: unknown;
}

export interface HistoryEntry {
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  empty_layer?: boolean;
}

export interface HistoryRow extends HistoryEntry {
  /** The layer that the entry made; `null` for a change of metadata only. */
  layer: Descriptor | null;
  diffId: string | null;
}

/** One layer of an {@link Image}, the base first. */
export interface Layer {
  /** From 1. */
  layer: number;
  digest: string;
  diffId: string;
  mediaType: string;
  /** Bytes of the blob. */
  size: number;
  /** The command that made it, as the history has it. */
  createdBy?: string;
  /**
   * `waiting`: not read yet; `listed`: what is in it is known, but nobody has vouched for it; `verified`:
   * size, digest and diff_id are as promised; `failed`: it cannot be read, or is not what was promised.
   */
  state: "waiting" | "listed" | "verified" | "failed";
  /**
   * Where the list is from: a table of contents inside the layer (eStargz, zstd:chunked), or the archive
   * itself.
   */
  listedFrom?: "toc" | "archive";
  error?: { kind: ErrorKind; message: string };
}

export type FileType = "file" | "dir" | "link" | "char" | "block" | "fifo" | "socket";

/**
 * What a layer does to a path. Where content was only listed, nobody has compared it: a file that is stored
 * again the same is `replaced` then, and `attributes` once its layers are verified.
 */
export type Change = "added" | "replaced" | "attributes" | "linked" | "removed";

/** Which rows of the file tree are shown. */
export interface RowQuery {
  /** Only what this layer does; by default the merged tree. */
  layer?: number;
  /** Only these; with `layer`. */
  changes?: Change[];
  /**
   * Only paths whose bytes are hidden by a later layer: all of them, or with `layer` those this layer stores.
   */
  wasted?: boolean;
  /** Only paths with this text in their last name, upper and lower case alike, with the way to each. */
  search?: string;
  /**
   * Directories that are open, the root always. With `search`, `changes` or `wasted`, all are open but those
   * in `closed`.
   */
  open?: string[];
  closed?: string[];
  /** `size`: the largest first. */
  sort?: "name" | "size";
}

/** One line of the file tree. */
export interface Row {
  path: string;
  /** The last part of the path; `/` for the root. */
  name: string;
  /** 0 for the root. */
  depth: number;
  /** What it is in the end, or was when it was removed. */
  type: FileType | null;
  /** Bytes of a file; of a directory, of all files in and below it that the query lets through. */
  size: number;
  /** Bytes stored here and below that a later layer hides. */
  hidden: number;
  /** The layer it is from; with `layer`, that one. */
  layer: number;
  change?: Change;
  mode?: string;
  uid?: number;
  gid?: number;
  mtime?: string;
  /** Where a link leads. */
  target?: string;
  nlink?: number;
  /** Whether it is there in the end. */
  exists: boolean;
  /** How many names are directly in it. */
  entries: number;
  open: boolean;
  /** Its place among its siblings that are shown, from 1, and how many they are. */
  position: number;
  siblings: number;
}

export interface Page {
  /** Rows that the query shows in all. */
  total: number;
  /** Files (no directories) that the query lets through, and their bytes. */
  files: number;
  bytes: number;
  rows: Row[];
}

/** A box of a treemap. */
export interface Box {
  name: string;
  path: string;
  size: number;
  /** The layer a file is from, or that a box of the first level stands for. */
  layer?: number;
  /** Bytes of what is too small for boxes of its own. */
  rest?: number;
  children?: Box[];
}

/** `ocicle files --json`. */
export interface Files {
  schemaVersion: 1;
  files: FileRow[];
}

export interface FileRow {
  path: string;
  layer: number;
  change?: Change;
  type?: FileType;
  mode?: string;
  uid?: number;
  gid?: number;
  size?: number;
  mtime?: string;
  target?: string;
  nlink?: number;
}

/** `ocicle why --json`. */
export interface Why {
  schemaVersion: 1;
  path: string;
  exists: boolean;
  deeds: Deed[];
}

export interface Deed {
  layer: number;
  digest: string;
  what: Change;
  /** The directory that it went with. */
  with?: string;
  size: number;
  createdBy?: string;
}

export interface WasteSums {
  stored: number;
  visible: number;
  hidden: number;
  overwritten: number;
  metadataOnly: number;
  removed: number;
  removedWithDirectory: number;
  duplicate: number;
  hiddenCompressed: number;
}

/** `ocicle waste --json`. */
export interface Waste extends WasteSums {
  schemaVersion: 1;
  /** Visible ÷ stored, 1 if nothing is stored. */
  efficiency: number;
  layers: (WasteSums & { layer: number; digest: string; size: number; files: number; createdBy?: string })[];
  paths: { path: string; hidden: number; times: number; layers: number[] }[];
}

/** `ocicle diff --json`. */
export interface Compared {
  schemaVersion: 1;
  files: {
    path: string;
    change: "added" | "removed" | "changed";
    aspects?: ("type" | "content" | "mode" | "owner" | "xattrs" | "time" | "links")[];
    sizeBefore: number;
    sizeAfter: number;
  }[];
  config: { field: string; before?: unknown; after?: unknown }[];
  directories: Record<string, number>;
  ignored: Record<string, number>;
}

/** `ocicle check --json`. */
export interface CheckReport {
  schemaVersion: 1;
  /** How many different blobs were read and verified, and how many of them are layers. */
  blobs: number;
  layers: number;
  findings: Finding[];
  warnings: Finding[];
}

export interface Finding {
  /** The way from `index.json`, as what follows `#` in a reference. */
  place: string;
  digest: string;
  problem: string;
}

export type Dialect = "native" | "portable" | "bsd" | "umoci";

/** What `ocicle config` takes. `clear` comes first. */
export interface ConfigEdit {
  clear?: ("labels" | "annotations" | "ports" | "env" | "volumes" | "cmd" | "entrypoint" | "healthcheck")[];
  author?: string;
  created?: string;
  os?: string;
  osVersion?: string;
  architecture?: string;
  variant?: string;
  user?: string;
  workingDir?: string;
  stopSignal?: string;
  entrypoint?: string[];
  cmd?: string[];
  osFeatures?: string[];
  env?: Record<string, string>;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
}

/** Where an edit goes, and what the history says of it. */
export interface EditOptions {
  /** A new tag; by default the image is changed in its place. */
  tag?: string;
  /** The time of the entry in the history, and the latest of new files; now by default. */
  created?: Date;
}

/** A file to be added; it belongs to `0:0` unless it says otherwise. */
export interface NewFile {
  /** Below the target, with slashes. */
  path: string;
  content: Blob | Uint8Array | string;
  /** Octal; `0o644` by default. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** By default that of a `File`, or `created`. */
  mtime?: Date;
}
