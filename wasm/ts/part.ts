/** Bytes that a worker can read. Sending one to a worker copies nothing, except bytes in memory. */
export type Part =
  | { readonly blob: Blob }
  | { readonly bytes: Uint8Array }
  | { readonly url: string; readonly start: number; readonly size: number }
  /** In Node. */
  | { readonly path: string; readonly start: number; readonly size: number }
  /** In Node, where a blob cannot be sent to a worker: the number of one that the main thread reads. */
  | { readonly held: number; readonly start: number; readonly size: number };

/** The bytes of a store. */
export type Origin =
  | { readonly archive: Part }
  | { readonly files: ReadonlyMap<string, Part> }
  /** The address of a layout on a server. */
  | { readonly base: string }
  /** A reference to a repository of a registry. */
  | { readonly registry: string }
  /** In Node. */
  | { readonly directory: string };

/** A blob of a repository, which the wasm module fetches. */
export interface RemoteBlob {
  readonly registry: string;
  readonly size: number;
}

export function sizeOf(part: Part | RemoteBlob): number {
  if ("blob" in part) return part.blob.size;
  if ("bytes" in part) return part.bytes.byteLength;
  return part.size;
}

export function slice(part: Part, start: number, size: number): Part {
  if ("blob" in part) return { blob: part.blob.slice(start, start + size) };
  // A copy: a view would be sent with its whole buffer.
  if ("bytes" in part) return { bytes: part.bytes.slice(start, start + size) };
  return { ...part, start: part.start + start, size };
}
