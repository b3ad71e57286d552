/** Bytes that a worker can read. They cross to it as they are: nothing is copied, but what is in memory. */
export type Part =
  | { readonly blob: Blob }
  | { readonly bytes: Uint8Array }
  | { readonly url: string; readonly start: number; readonly size: number }
  /** In Node. */
  | { readonly path: string; readonly start: number; readonly size: number }
  /** In Node, where blobs of files do not cross: one that the main thread holds. */
  | { readonly held: number; readonly start: number; readonly size: number };

/** What a store is read from. */
export type Origin =
  | { readonly archive: Part }
  | { readonly files: ReadonlyMap<string, Part> }
  /** A server that has the files of a layout below this address. */
  | { readonly base: string }
  /** In Node. */
  | { readonly directory: string };

export function sizeOf(part: Part): number {
  if ("blob" in part) return part.blob.size;
  if ("bytes" in part) return part.bytes.byteLength;
  return part.size;
}

export function slice(part: Part, start: number, size: number): Part {
  if ("blob" in part) return { blob: part.blob.slice(start, start + size) };
  // A copy: what is a part of a buffer crosses to a worker with all of that.
  if ("bytes" in part) return { bytes: part.bytes.slice(start, start + size) };
  return { ...part, start: part.start + start, size };
}
