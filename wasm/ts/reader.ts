import { sizeOf, type Origin, type Part } from "./part.js";

/** How this platform reads while everything waits. Each gives as many bytes as there are, up to `end`. */
export interface Sync {
  blob(blob: Blob, start: number, end: number): Uint8Array;
  url(url: string, start: number, end: number): Uint8Array;
  /** Bytes at an address; `undefined` if there is nothing. */
  urlSize(url: string): number | undefined;
  path(path: string, start: number, end: number): Uint8Array;
  pathSize(path: string): number | undefined;
  held(blob: number, start: number, end: number): Uint8Array;
}

/** One call of a `FileReaderSync` costs 3 ms, however little it reads. */
const BLOCK = 1 << 20;
const BLOCKS = 4;

interface Block {
  source: number;
  start: number;
  bytes: Uint8Array;
}

/** What the wasm module reads from: sources by number. */
export class Reader {
  readonly #sources: Part[] = [];
  readonly #found = new Map<string, number>();
  /** The block that was used last comes last. */
  readonly #blocks: Block[] = [];
  #origin: Origin | undefined;

  constructor(
    readonly sync: Sync,
    /** Is told how many bytes were read. */
    readonly onRead: (bytes: number) => void,
  ) {}

  /** Says where the files of the layout are. */
  from(origin: Origin): void {
    this.#origin = origin;
  }

  add(part: Part): number {
    return this.#sources.push(part) - 1;
  }

  find(path: string): number {
    let source = this.#found.get(path);
    if (source === undefined) {
      const part = this.#look(path);
      source = part === undefined ? -1 : this.add(part);
      this.#found.set(path, source);
    }
    return source;
  }

  size(source: number): number {
    return sizeOf(this.#part(source));
  }

  read(source: number, position: number, into: Uint8Array): number {
    const part = this.#part(source);
    const most = Math.min(into.byteLength, sizeOf(part) - position);
    if (most <= 0) return 0;
    if ("bytes" in part) {
      into.set(part.bytes.subarray(position, position + most));
      return most;
    }
    const { start, bytes } = this.#block(source, part, position);
    const there = bytes.subarray(position - start, position - start + most);
    into.set(there);
    return there.byteLength;
  }

  #part(source: number): Part {
    const part = this.#sources[source];
    if (part === undefined) throw new Error(`there is no source ${source}`);
    return part;
  }

  #look(path: string): Part | undefined {
    const origin = this.#origin;
    if (origin === undefined || "archive" in origin) return undefined;
    if ("files" in origin) return origin.files.get(path);
    if ("base" in origin) {
      const url = new URL(path, origin.base).href;
      const size = this.sync.urlSize(url);
      return size === undefined ? undefined : { url, start: 0, size };
    }
    const file = `${origin.directory}/${path}`;
    const size = this.sync.pathSize(file);
    return size === undefined ? undefined : { path: file, start: 0, size };
  }

  #block(source: number, part: Exclude<Part, { bytes: Uint8Array }>, position: number): Block {
    const start = position - (position % BLOCK);
    const known = this.#blocks.findIndex((block) => block.source === source && block.start === start);
    const [block] = known < 0 ? [this.#load(source, part, start)] : this.#blocks.splice(known, 1);
    this.#blocks.push(block!);
    if (this.#blocks.length > BLOCKS) this.#blocks.shift();
    return block!;
  }

  #load(source: number, part: Exclude<Part, { bytes: Uint8Array }>, start: number): Block {
    const end = Math.min(start + BLOCK, sizeOf(part));
    let bytes: Uint8Array;
    if ("blob" in part) bytes = this.sync.blob(part.blob, start, end);
    else if ("url" in part) bytes = this.sync.url(part.url, part.start + start, part.start + end);
    else if ("held" in part) bytes = this.sync.held(part.held, part.start + start, part.start + end);
    else bytes = this.sync.path(part.path, part.start + start, part.start + end);
    if (bytes.byteLength < end - start) throw new Error("it became shorter while it was read");
    this.onRead(bytes.byteLength);
    return { source, start, bytes };
  }
}
