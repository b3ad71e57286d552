/**
 * Arguments and results of the package. Interfaces with a `schemaVersion` are the JSON of the command's
 * `--json`. Sizes are in bytes, layers are numbered from 1, modes are octal strings such as `"0755"`, times
 * are RFC 3339.
 *
 * A path is from the root, with a slash before it. A path that is not UTF-8, or has a backslash, control
 * characters or bidirectional control characters, is escaped as in mtree(5). So escaped paths have a
 * backslash, and others do not. Arguments accept both forms.
 *
 * A test in `src/typescript.rs` compares the interfaces with the Rust types that become JSON.
 */

/** The kinds of {@link OcicleError}. */
export type ErrorKind =
  /** A reference matches several objects. */
  | "ambiguous"
  /**
   * Content is damaged, invalid or missing: a digest, size or diff_id does not match, a document or layer is
   * malformed, or a blob is not in the store.
   */
  | "corrupt"
  /** Another writer changed the store at the same time. */
  | "conflict"
  /** The destination exists. */
  | "exists"
  /** The browser, the system or a server failed to read. */
  | "io"
  /** A limit on untrusted input was exceeded. */
  | "limit"
  /** The arguments are wrong. */
  | "misuse"
  /** A reference, path or file does not exist. */
  | "notFound"
  /** Valid, but not supported. */
  | "unsupported";

/** A source that can be opened. */
export type Source =
  /** An archive: a `File`, or any other `Blob`. A compressed one is decompressed first, in memory. */
  | Blob
  /** An archive in memory. */
  | ArrayBuffer
  | Uint8Array
  /**
   * An archive, or a layout if the URL ends with a slash. The server must support Range requests. With the
   * scheme `docker:`, a repository of a registry.
   */
  | URL
  /**
   * A repository of a registry that answers without credentials: `docker://HOST/REPOSITORY[:TAG][@DIGEST]`.
   * In Node, anything else is the path of an archive or layout.
   */
  | string
  /** The files of a layout, from `<input webkitdirectory>`; a single file is an archive. */
  | FileList
  | readonly File[]
  /** The files of a layout, by path. */
  | ReadonlyMap<string, Blob | Uint8Array>
  | FileSystemDirectoryHandle
  | FileSystemFileHandle;

export type StoreKind = "oci" | "oci-archive" | "docker-archive" | "registry";

export interface OpenOptions {
  /** The expected kind; detected by default. */
  kind?: StoreKind;
  signal?: AbortSignal;
  /** Called while a compressed archive is decompressed. */
  onProgress?: (progress: Progress) => void;
  /** The wasm module, compiled or as bytes. Fetched from the package's directory by default. */
  module?: WebAssembly.Module | BufferSource;
  /** Starts a worker. Runs the package's `worker.js` by default. */
  worker?: () => Worker;
  /**
   * The number of workers that may read layers at the same time; by default one less than the number of
   * cores, at most 4.
   */
  workers?: number;
  /** Limits on untrusted input, by the names of `ocicle --limit`; the others have their defaults. */
  limits?: Partial<Record<LimitName, number>>;
}

/** What each bounds is in `ocicle files --help`. */
export type LimitName =
  | "document"
  | "depth"
  | "descriptors"
  | "path"
  | "links"
  | "header"
  | "xattrs"
  | "toc"
  | "entries"
  | "layer_size"
  | "zstd_window"
  | "ratio"
  | "ratio_from"
  | "archive_size";

/** Options of calls that take long. Aborting rejects with the signal's reason, and affects no other call. */
export interface RunOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Bytes read so far, and in all; `total` is 0 if unknown. */
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
  /** The image name as Docker shows it, or else the ref name; only of entries of `index.json`. */
  tag: string | null;
  /** `index`, `manifest`, `config`, or the media type of anything else; `malformed` if it cannot be read. */
  kind: string;
  mediaType: string;
  digest: string;
  size: number;
  /** Bytes of config and layers, as stored; manifests only. */
  imageSize: number | null;
  platform: Platform | null;
  artifactType: string | null;
  subject: string | null;
  attests: string | null;
  referrers: string[];
  shared: boolean;
  annotations: Record<string, string>;
  /** The selector of exactly this place: the part of a reference after `#`. */
  selector: string;
  /** Why it cannot be read; `null` if it can. */
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
  /** The selector of exactly this place: the part of a reference after `#`. */
  selector: string;
  /** The number of places where the store has the object. */
  places: number;
  hops: Hop[];
}

/** A step of the descriptor path from `index.json` to an object. */
export interface Hop {
  /** The digest of an index. */
  index: string;
  /** The zero-based position in it. */
  position: number;
  descriptor: Descriptor;
}

/** `ocicle stat --json`. Manifest and config are verbatim. */
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
  "os.version"?: string;
  "os.features"?: string[];
  config?: ContainerConfig;
  rootfs: RootFs;
  history?: HistoryEntry[];
  [more: string]: unknown;
}

/** The configuration of a container of the image. */
export interface ContainerConfig {
  User?: string;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  StopSignal?: string;
  Labels?: Record<string, string>;
  ExposedPorts?: Record<string, unknown>;
  Volumes?: Record<string, unknown>;
  Healthcheck?: Healthcheck;
  [more: string]: unknown;
}

/** Times are nanoseconds. */
export interface Healthcheck {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  Retries?: number;
}

export interface RootFs {
  type: "layers";
  diff_ids: string[];
}

export interface HistoryEntry {
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  empty_layer?: boolean;
}

export interface HistoryRow extends HistoryEntry {
  /** The layer of the entry; `null` if it changed metadata only. */
  layer: Descriptor | null;
  diffId: string | null;
}

/** A layer of an {@link Image}. */
export interface Layer {
  /** One-based; the base is 1. */
  layer: number;
  digest: string;
  diffId: string;
  mediaType: string;
  /** Size of the blob. */
  size: number;
  /** The command that made it, from the history. */
  createdBy?: string;
  /**
   * `waiting`: not read yet. `listed`: its files are known, but not verified. `verified`: size, digest and
   * diff_id match. `failed`: it cannot be read, or does not match.
   */
  state: "waiting" | "listed" | "verified" | "failed";
  /**
   * The source of the list: a table of contents in the layer (eStargz, zstd:chunked), or the archive itself.
   */
  listedFrom?: "toc" | "archive";
  error?: { kind: ErrorKind; message: string };
  /** Where to get a foreign layer, which the store does not have. */
  urls?: string[];
}

export type FileType = "file" | "dir" | "link" | "char" | "block" | "fifo" | "socket";

/**
 * The change of a layer to a path. While layers are only listed, contents are not compared: a file stored
 * again with the same content is `replaced`, and becomes `attributes` once its layers are verified.
 */
export type Change = "added" | "replaced" | "attributes" | "linked" | "removed";

/** Selects rows of the file tree. */
export interface RowQuery {
  /** Only changes of this layer; by default the merged tree. */
  layer?: number;
  /** Only changes of these kinds; with `layer`. */
  changes?: Change[];
  /** Only paths with content that a later layer hides; with `layer`, content of that layer. */
  wasted?: boolean;
  /** Only paths whose last name contains this text, ignoring case, and the directories above them. */
  search?: string;
  /**
   * Only paths that this pattern matches, as `ocicle find --ignore-case --name`, and the directories above
   * them. Without `layer`, also paths that a later layer removes.
   */
  name?: string;
  /**
   * Open directories; the root always is. With `search`, `name`, `changes` or `wasted`, all are open except
   * `closed`.
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
  /** Its type in `layer`; of a removed path, the type of what was removed. */
  type: FileType;
  /** Size of a file; of a directory, of all files below it that match the query. */
  size: number;
  /** Bytes stored here and below that a later layer hides. */
  hidden: number;
  /** The layer that put it last; with `layer`, that one. */
  layer: number;
  change?: Change;
  /** These are those of the merged tree, if it has the path with this type. */
  mode?: string;
  uid?: number;
  gid?: number;
  mtime?: string;
  /** The target of a symbolic link. */
  target?: string;
  nlink?: number;
  /** Whether the merged tree has it. */
  exists: boolean;
  /** The number of names directly in it. */
  entries: number;
  open: boolean;
  /** Its one-based position among its visible siblings, and their number. */
  position: number;
  siblings: number;
}

export interface Page {
  /** The number of rows of the query. */
  total: number;
  /** The number of files (not directories) that match the query, and their bytes. */
  files: number;
  bytes: number;
  rows: Row[];
}

/** A box of a treemap. */
export interface Box {
  name: string;
  path: string;
  size: number;
  /** The layer a file comes from, or that a box of the first level represents. */
  layer?: number;
  /** Bytes of everything too small for a box of its own. */
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
  /** The removed directory that it was in. */
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
  /** Visible ÷ stored; 1 if nothing is stored. */
  efficiency: number;
  layers: LayerWaste[];
  paths: PathWaste[];
}

export interface LayerWaste extends WasteSums {
  layer: number;
  digest: string;
  size: number;
  files: number;
  createdBy?: string;
}

export interface PathWaste {
  path: string;
  hidden: number;
  times: number;
  layers: number[];
}

/** `ocicle diff --json`. */
export interface Compared {
  schemaVersion: 1;
  files: FileChange[];
  config: ConfigChange[];
  /** Annotations, media types, artifact type and subject of the manifests. */
  manifest: ConfigChange[];
  directories: Record<string, number>;
  ignored: Record<string, number>;
}

export type FileChangeKind = "added" | "removed" | "changed";

/** A property in which two files differ. */
export type FileAspect = "type" | "content" | "mode" | "owner" | "xattrs" | "time" | "links";

export interface FileChange {
  path: string;
  change: FileChangeKind;
  aspects?: FileAspect[];
  sizeBefore: number;
  sizeAfter: number;
}

export interface ConfigChange {
  field: string;
  before?: unknown;
  after?: unknown;
}

/** `ocicle check --json`. */
export interface CheckReport {
  schemaVersion: 1;
  /** The number of different blobs that were verified, and how many of them are layers. */
  blobs: number;
  layers: number;
  findings: Finding[];
  warnings: Finding[];
}

export interface Finding {
  /** The selector of the place: the part of a reference after `#`. */
  place: string;
  digest: string;
  problem: string;
}

export type Dialect = "native" | "portable" | "bsd" | "umoci";

/** Fields of a config that can be cleared. */
export type Clearable =
  "labels" | "annotations" | "ports" | "env" | "volumes" | "cmd" | "entrypoint" | "healthcheck";

/** The edits of `ocicle config`. `clear` is applied first. */
export interface ConfigEdit {
  clear?: Clearable[];
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

/** The destination of an edit, and its time. */
export interface EditOptions {
  /** A new tag for the result; by default, the image is changed in place. */
  tag?: string;
  /** The time of the history entry, and the latest time of new files; now by default. */
  created?: Date;
}

/** A new file. It belongs to `0:0` by default. */
export interface NewFile {
  /** Relative to the target, with slashes. */
  path: string;
  content: Blob | Uint8Array | string;
  /** Octal; `0o644` by default. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** The time of a `File`, or `created`, by default. */
  mtime?: Date;
}
