/** The side of a worker: calls come in, results go out. */

import { connect, Image, Indexed, initSync, Store } from "./wasm/ocicle.js";
import { OcicleError, plain } from "./error.js";
import type { LayerBlob } from "./layers.js";
import type { Call, Calls, Opening, Reply, Request, Start } from "./messages.js";
import { Reader, type Sync } from "./reader.js";
import type { StoreKind } from "./types.js";

/** Milliseconds between two reports of progress. */
const PACE = 100;

type Bytes = Uint8Array<ArrayBuffer>;

type Handlers = { [C in Call]: (argument: Calls[C][0]) => Calls[C][1] };

/** Starts a worker; gives what is to be called with each request. */
export function serve({ module }: Start, sync: Sync, post: (reply: Reply, transfer: Transferable[]) => void) {
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
  const handlers = handlersOf(reader, memory);
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

function handlersOf(reader: Reader, memory: WebAssembly.Memory): Handlers {
  let store: Store | undefined;
  let images: Image[] = [];
  const opened = (): Store => {
    if (store === undefined) throw new OcicleError("misuse", "nothing is open");
    return store;
  };
  const image = (number: number): Image => {
    const found = images[number];
    if (found === undefined) throw new OcicleError("misuse", "this image was closed");
    return found;
  };
  const once = <T>(opening: Opening, use: (store: Store) => T): T => {
    const opened = open(reader, opening);
    try {
      return use(opened);
    } finally {
      opened.free();
    }
  };
  return {
    open: (opening) => {
      store = open(reader, opening);
      return store.kind as StoreKind;
    },
    list: () => opened().list(),
    resolve: (fragment) => opened().resolve(fragment),
    blob: (digest) => opened().blob(digest),
    locate: (digest) => opened().locate(digest),
    keep: ({ descriptor, diffId, index }) => void opened().keep(descriptor, diffId, index),
    forget: ({ digest, diffId }) => void opened().forget(digest, diffId),
    changes: () => opened().changes(),
    configure: ({ fragment, edit, options }) => opened().configure(fragment, edit, options),
    insert: ({ fragment, target, files, contents, options }) =>
      opened().insert(fragment, target, files, contents, options),
    image: (fragment) => {
      const found = opened().image(fragment);
      return { image: images.push(found) - 1, digest: found.digest, layers: found.layers() };
    },
    free: (number) => {
      image(number).free();
      delete images[number];
      return undefined;
    },
    stat: (number) => image(number).stat(),
    look: (number) => void image(number).look(opened()),
    rows: ({ image: number, query, from, count }) => image(number).rows(query, from, count),
    position: ({ image: number, query, path }) => image(number).position(query, path),
    boxes: ({ image: number, byLayer, path, parts }) => image(number).boxes(byLayer, path, parts),
    files: ({ image: number, path, layer }) => image(number).files(path, layer),
    why: ({ image: number, path }) => image(number).why(path),
    waste: (number) => image(number).waste(),
    lend: (number) => {
      const layers = JSON.parse(image(number).layers()) as LayerBlob[];
      return {
        documents: image(number).documents(),
        layers: layers.map(({ descriptor, diffId }) => ({
          descriptor: JSON.stringify(descriptor),
          diffId,
          index: opened().index(descriptor.digest, diffId),
        })),
      };
    },
    borrow: ({ documents, layers }) => {
      for (const { descriptor, diffId, index } of layers) opened().keep(descriptor, diffId, index);
      const lent = Image.lent(documents);
      lent.look(opened());
      return images.push(lent) - 1;
    },
    diff: ({ before, after, semantic }) => image(before).diff(image(after), semantic),
    mtree: ({ image: number, dialect }) => image(number).mtree(dialect),
    read: ({ image: number, path }) => {
      const pieces: Bytes[] = [];
      image(number).read(opened(), path, (piece: Bytes) => pieces.push(piece));
      return pieces;
    },
    index: ({ part, descriptor, diffId, verify }) => {
      const indexed = Indexed.read(reader.add(part), descriptor, diffId, verify);
      const { toc } = indexed;
      const index = indexed.bytes();
      indexed.free();
      return { index, toc };
    },
    check: (opening) => once(opening, (store) => store.check()),
    archive: (opening) => {
      // Each piece becomes a blob at once: a browser keeps those outside of memory.
      const pieces: Blob[] = [];
      once(opening, (store) => store.archive((piece: Bytes) => pieces.push(new Blob([piece]))));
      return new Blob(pieces);
    },
    memory: () => memory.buffer.byteLength,
  };
}

function open(reader: Reader, { origin, kind, changes }: Opening): Store {
  reader.from(origin);
  const store = Store.open("archive" in origin ? reader.add(origin.archive) : undefined, kind);
  if (changes !== undefined) store.replay(changes);
  return store;
}

/** What need not be copied on its way out. */
function transferable(value: unknown): Transferable[] {
  if (value instanceof Uint8Array) return [value.buffer as ArrayBuffer];
  if (Array.isArray(value)) return value.flatMap(transferable);
  if (value instanceof Object && "index" in value) return transferable(value.index);
  return [];
}
