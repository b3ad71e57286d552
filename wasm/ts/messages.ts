import type { PlainError } from "./error.js";
import type { Origin, Part, RemoteBlob } from "./part.js";
import type { StoreKind } from "./types.js";

/** All that a worker needs to open a store again, with its edits. */
export interface Opening {
  origin: Origin;
  kind?: StoreKind | undefined;
  /** The result of `changes`. */
  changes?: unknown[];
}

/**
 * An image for another store's worker: documents and indexes, in an order that only the wasm module knows.
 */
export type Lent = Uint8Array[];

/**
 * The index of a layer of an image, for the worker that has the image; `undefined` if the layer cannot be
 * read.
 */
export interface LayerIndex {
  /** The zero-based position of the layer. */
  layer: number;
  index: Uint8Array | undefined;
}

/** The calls of a worker: argument and result of each. A string that is not a name or a path is JSON. */
export interface Calls {
  /** Decompresses an archive; `undefined` if it is not compressed. */
  decompress: [Part, Blob | undefined];
  open: [Opening, StoreKind];
  list: [undefined, string];
  resolve: [string | undefined, string];
  blob: [string, Uint8Array];
  changes: [undefined, unknown[]];
  configure: [{ fragment: string | undefined; edit: string; options: string }, string];
  insert: [
    { fragment: string | undefined; target: string; files: string; contents: Uint8Array[]; options: string },
    string,
  ];
  /** Opens an image; returns its number, the digest of its manifest, and its layers. */
  image: [string | undefined, { image: number; digest: string; layers: string }];
  /** Closes an image. */
  free: [number, undefined];
  stat: [number, string];
  /** Merges the layers again, with the indexes that are new. */
  look: [{ image: number; indexes: LayerIndex[] }, undefined];
  rows: [{ image: number; query: string; from: number; count: number }, string];
  position: [{ image: number; query: string; path: string }, number | undefined];
  areas: [{ image: number; byLayer: boolean; path: string; parts: number }, string];
  files: [{ image: number; path: string; layer: number | undefined }, string];
  why: [{ image: number; path: string }, string];
  waste: [number, string];
  lend: [number, Lent];
  diff: [{ before: number | Lent; after: number | Lent; semantic: boolean }, string];
  mtree: [{ image: number; dialect: string }, Uint8Array];
  read: [{ image: number; path: string; layer: number | undefined }, Uint8Array[]];
  /** Reads one layer. Needs no open store. */
  index: [
    { part: Part | RemoteBlob; descriptor: string; diffId: string; verify: boolean },
    { index: Uint8Array; toc: boolean },
  ];
  /** Opens a store for this call alone. */
  check: [Opening, string];
  archive: [Opening, Blob];
  memory: [undefined, number];
  /** Counts what the worker keeps. */
  kept: [undefined, Kept];
}

export interface Kept {
  /** Open images. */
  images: number;
  /** Different layers of the open images. */
  layers: number;
  /** Open sources of bytes. */
  sources: number;
}

export type Call = keyof Calls;

export interface Request<C extends Call = Call> {
  id: number;
  call: C;
  argument: Calls[C][0];
}

/** The first message to a worker. */
export interface Start {
  module: WebAssembly.Module;
  /** The JSON of the limits. */
  limits: string;
  /** In Node: a port to the main thread, which reads what a worker cannot. */
  bridge?: unknown;
}

export type Reply =
  | { id: number; value: unknown }
  | { id: number; error: PlainError }
  /** Bytes read since the last such reply. */
  | { id: number; read: number };
