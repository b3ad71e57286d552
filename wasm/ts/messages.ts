import type { PlainError } from "./error.js";
import type { Origin, Part } from "./part.js";
import type { StoreKind } from "./types.js";

/** How to open a store again, with what was changed in it. */
export interface Opening {
  origin: Origin;
  kind?: StoreKind | undefined;
  /** As `Store.changes` of the wasm module gives them. */
  changes?: unknown[];
}

/** An image of another store. */
export interface Lent {
  documents: Uint8Array[];
  layers: { descriptor: string; diffId: string; index: Uint8Array }[];
}

/** What a worker can be asked for: arguments and result of each call. Texts are JSON. */
export interface Calls {
  open: [Opening, StoreKind];
  list: [undefined, string];
  resolve: [string | undefined, string];
  blob: [string, Uint8Array];
  locate: [string, string];
  keep: [{ descriptor: string; diffId: string; index: Uint8Array }, undefined];
  forget: [{ digest: string; diffId: string }, undefined];
  changes: [undefined, unknown[]];
  configure: [{ fragment: string | undefined; edit: string; options: string }, string];
  insert: [
    { fragment: string | undefined; target: string; files: string; contents: Uint8Array[]; options: string },
    string,
  ];
  /** Gives its number, its digest and its layers. */
  image: [string | undefined, { image: number; digest: string; layers: string }];
  free: [number, undefined];
  stat: [number, string];
  look: [number, undefined];
  rows: [{ image: number; query: string; from: number; count: number }, string];
  position: [{ image: number; query: string; path: string }, number | undefined];
  boxes: [{ image: number; byLayer: boolean; path: string; parts: number }, string];
  files: [{ image: number; path: string; layer: number | undefined }, string];
  why: [{ image: number; path: string }, string];
  waste: [number, string];
  diff: [{ before: number; after: number; semantic: boolean }, string];
  /** What another worker has to know to compare an image with its own. */
  lend: [number, Lent];
  borrow: [Lent, number];
  mtree: [{ image: number; dialect: string }, Uint8Array];
  read: [{ image: number; path: string }, Uint8Array[]];
  /** Of a layer alone. */
  index: [{ part: Part; descriptor: string; diffId: string; verify: boolean }, { index: Uint8Array; toc: boolean }];
  /** Of a store that is opened for this. */
  check: [Opening, string];
  archive: [Opening, Blob];
  memory: [undefined, number];
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
  /** In Node: where to ask for what only the main thread can read. */
  bridge?: unknown;
}

export type Reply =
  | { id: number; value: unknown }
  | { id: number; error: PlainError }
  /** Bytes read since the last one. */
  | { id: number; read: number };
