/** The worker's side: receives calls, sends results. */

import { connect, decompress, Image, Indexed, initSync, Store } from "./wasm/ocicle.js";
import { OcicleError, plain } from "./error.js";
import type { Call, Calls, Lent, Opening, Reply, Request, Start } from "./messages.js";
import { Reader, type Sync } from "./reader.js";
import type { StoreKind } from "./types.js";

/** Milliseconds between two reports of progress. */
const PACE = 100;

type Bytes = Uint8Array<ArrayBuffer>;

type Handlers = { [C in Call]: (argument: Calls[C][0]) => Calls[C][1] };

type Handle = <C extends Call>(request: Request<C>) => void;

type Post = (reply: Reply, transfer: Transferable[]) => void;

/** Starts a worker; returns the function to call with each request. */
export function serve({ module, limits }: Start, sync: Sync, post: Post): Handle {
  const { memory } = initSync({ module });
  let current = 0;
  let read = 0;
  let told = 0;
  const reader = new Reader(sync, (bytes) => {
    read += bytes;
    const now = performance.now();
    if (now - told < PACE) return;
    told = now;
    post({ id: current, read }, []);
    read = 0;
  });
  connect(reader);
  const handlers = handlersOf(reader, memory, limits);
  return <C extends Call>({ id, call, argument }: Request<C>): void => {
    current = id;
    read = 0;
    try {
      const value = handlers[call](argument);
      post({ id, value }, transferable(value));
    } catch (error) {
      post({ id, error: plain(error) }, []);
    }
  };
}

function handlersOf(reader: Reader, memory: WebAssembly.Memory, limits: string): Handlers {
  let store: Store | undefined;
  const images = new Map<number, Image>();
  let next = 0;
  const opened = (): Store => {
    if (store === undefined) throw new OcicleError("misuse", "nothing is open");
    return store;
  };
  const image = (number: number): Image => {
    const found = images.get(number);
    if (found === undefined) throw new OcicleError("misuse", "this image was closed");
    return found;
  };
  const once = <T>(opening: Opening, use: (store: Store) => T): T => {
    const opened = open(reader, opening, limits);
    try {
      return use(opened);
    } finally {
      opened.free();
      reader.from(undefined);
    }
  };
  return {
    decompress: (part) => {
      const pieces: Blob[] = [];
      const keep = (piece: Bytes): unknown => pieces.push(new Blob([piece]));
      return decompress(reader.add(part), limits, keep) ? new Blob(pieces) : undefined;
    },
    open: (opening) => {
      store = open(reader, opening, limits);
      return store.kind as StoreKind;
    },
    list: () => opened().list(),
    resolve: (fragment) => opened().resolve(fragment),
    blob: (digest) => opened().blob(digest),
    changes: () => opened().changes(),
    configure: ({ fragment, edit, options }) => opened().configure(fragment, edit, options),
    insert: ({ fragment, target, files, contents, options }) =>
      opened().insert(fragment, target, files, contents, options),
    image: (fragment) => {
      const found = opened().image(fragment);
      images.set(next, found);
      return { image: next++, digest: found.digest, layers: opened().layers(found) };
    },
    free: (number) => {
      image(number).free();
      images.delete(number);
      return undefined;
    },
    stat: (number) => image(number).stat(),
    look: ({ image: number, indexes }) => {
      for (const { layer, index } of indexes) image(number).hand(layer, index);
      image(number).look();
      return undefined;
    },
    rows: ({ image: number, query, from, count }) => image(number).rows(query, from, count),
    position: ({ image: number, query, path }) => image(number).position(query, path),
    areas: ({ image: number, byLayer, path, parts }) => image(number).areas(byLayer, path, parts),
    files: ({ image: number, path, layer }) => image(number).files(path, layer),
    why: ({ image: number, path }) => image(number).why(path),
    waste: (number) => image(number).waste(),
    lend: (number) => image(number).lend(),
    diff: ({ before, after, semantic }) => {
      const borrowed: Image[] = [];
      const side = (of: number | Lent): Image => {
        if (typeof of === "number") return image(of);
        const found = Image.borrowed(of, limits);
        borrowed.push(found);
        return found;
      };
      try {
        return side(before).diff(side(after), semantic);
      } finally {
        for (const image of borrowed) image.free();
      }
    },
    mtree: ({ image: number, dialect }) => image(number).mtree(dialect),
    read: ({ image: number, path, layer }) => {
      const pieces: Bytes[] = [];
      opened().read(image(number), path, layer, (piece: Bytes) => pieces.push(piece));
      return pieces;
    },
    index: ({ part, descriptor, diffId, verify }) => {
      const indexed =
        "registry" in part
          ? Indexed.fetch(part.registry, descriptor, diffId, verify, limits)
          : Indexed.read(reader.add(part), descriptor, diffId, verify, limits);
      try {
        return { index: indexed.bytes(), toc: indexed.toc };
      } finally {
        indexed.free();
      }
    },
    check: (opening) => once(opening, (store) => store.check()),
    archive: (opening) => {
      // Each piece becomes a blob at once: browsers keep blobs outside of memory.
      const pieces: Blob[] = [];
      once(opening, (store) => store.archive((piece: Bytes) => pieces.push(new Blob([piece]))));
      return new Blob(pieces);
    },
    memory: () => memory.buffer.byteLength,
    kept: () => ({ images: images.size, layers: store?.kept ?? 0, sources: reader.sources }),
  };
}

function open(reader: Reader, { origin, kind, changes }: Opening, limits: string): Store {
  reader.from(origin);
  const archive = "archive" in origin ? reader.add(origin.archive) : undefined;
  const store = Store.open(archive, "registry" in origin ? origin.registry : undefined, kind, limits);
  if (changes !== undefined) store.replay(changes);
  return store;
}

/** The buffers of a result that can be moved instead of copied. */
function transferable(value: unknown): Transferable[] {
  if (value instanceof Uint8Array) return [value.buffer as ArrayBuffer];
  if (Array.isArray(value)) return value.flatMap(transferable);
  if (value instanceof Object && "index" in value) return transferable(value.index);
  return [];
}
