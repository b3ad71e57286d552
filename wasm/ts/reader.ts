import { sizeOf, type Origin, type Part } from "./part.js";

/** The synchronous reads of a platform. Each returns as many bytes as there are up to `end`. */
export interface Sync {
  blob(blob: Blob, start: number, end: number): Uint8Array;
  url(url: string, start: number, end: number): Uint8Array;
  /** The size of what is at an address; `undefined` if there is nothing. */
  urlSize(url: string): number | undefined;
  path(path: string, start: number, end: number): Uint8Array;
  /** The size of a file below a directory; `undefined` if there is none. Throws if a link leads out of it. */
  pathSize(directory: string, path: string): number | undefined;
  held(blob: number, start: number, end: number): Uint8Array;
  send(request: Asked): Answer;
}

/** A request without a body. */
export interface Asked {
  method: string;
  url: string;
  headers: readonly (readonly [name: string, value: string])[];
}

/** The answer to it, whatever its status. */
export interface Answer {
  status: number;
  /** Lines of name and value. */
  headers: string;
  body: Uint8Array;
}

/** One call of a `FileReaderSync` takes 3 ms, however little it reads. */
const BLOCK = 1 << 20;
const BLOCKS = 4;

interface Block {
  part: Part;
  start: number;
  bytes: Uint8Array;
}

/** The host of the wasm module: opens and reads sources, which are numbers there. */
export class Reader {
  readonly #sources = new Map<number, Part>();
  #next = 0;
  /** The files of the layout that were looked up. */
  readonly #found = new Map<string, Part | undefined>();
  /** The most recently used last. */
  readonly #blocks: Block[] = [];
  #origin: Origin | undefined;

  constructor(
    readonly sync: Sync,
    /** Called with the number of bytes of each read. */
    readonly onRead: (bytes: number) => void,
  ) {}

  /** Sets where the files of the layout are; forgets those of the last one. */
  from(origin: Origin | undefined): void {
    this.#origin = origin;
    this.#found.clear();
    this.#blocks.length = 0;
  }

  /** Opens a source; the wasm module closes it. */
  add(part: Part): number {
    this.#sources.set(this.#next, part);
    return this.#next++;
  }

  /** The number of open sources. */
  get sources(): number {
    return this.#sources.size;
  }

  find(path: string): number {
    if (!this.#found.has(path)) this.#found.set(path, this.#look(path));
    const part = this.#found.get(path);
    return part === undefined ? -1 : this.add(part);
  }

  send(method: string, url: string, headers: string): Answer {
    const answer = this.sync.send({ method, url, headers: JSON.parse(headers) as Asked["headers"] });
    this.onRead(answer.body.byteLength);
    return answer;
  }

  /** Blocks. Shared memory of the wasm kind needs no special headers of the page. */
  pause(milliseconds: number): void {
    const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    Atomics.wait(new Int32Array(buffer), 0, 0, milliseconds);
  }

  close(source: number): void {
    this.#sources.delete(source);
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
    const { start, bytes } = this.#block(part, position);
    const there = bytes.subarray(position - start, position - start + most);
    into.set(there);
    return there.byteLength;
  }

  #part(source: number): Part {
    const part = this.#sources.get(source);
    if (part === undefined) throw new Error(`source ${source} is not open`);
    return part;
  }

  #look(path: string): Part | undefined {
    const origin = this.#origin;
    if (origin === undefined || "archive" in origin || "registry" in origin) return undefined;
    if ("files" in origin) return origin.files.get(path);
    if ("base" in origin) {
      const url = new URL(path, origin.base).href;
      const size = this.sync.urlSize(url);
      return size === undefined ? undefined : { url, start: 0, size };
    }
    const file = `${origin.directory}/${path}`;
    const size = this.sync.pathSize(origin.directory, path);
    return size === undefined ? undefined : { path: file, start: 0, size };
  }

  #block(part: Exclude<Part, { bytes: Uint8Array }>, position: number): Block {
    const start = position - (position % BLOCK);
    const known = this.#blocks.findIndex((block) => block.part === part && block.start === start);
    const [block] = known < 0 ? [this.#load(part, start)] : this.#blocks.splice(known, 1);
    this.#blocks.push(block!);
    if (this.#blocks.length > BLOCKS) this.#blocks.shift();
    return block!;
  }

  #load(part: Exclude<Part, { bytes: Uint8Array }>, start: number): Block {
    const end = Math.min(start + BLOCK, sizeOf(part));
    let bytes: Uint8Array;
    if ("blob" in part) bytes = this.sync.blob(part.blob, start, end);
    else if ("url" in part) bytes = this.sync.url(part.url, part.start + start, part.start + end);
    else if ("held" in part) bytes = this.sync.held(part.held, part.start + start, part.start + end);
    else bytes = this.sync.path(part.path, part.start + start, part.start + end);
    if (bytes.byteLength < end - start) throw new Error("the file became shorter while it was read");
    this.onRead(bytes.byteLength);
    return { part, start, bytes };
  }
}
