/** The image on the screen: listed first, then verified. */
import { computed, effect, signal } from "@preact/signals";
import type { Image, Layer, ListingEntry, Progress } from "ocicle";
import { announce } from "./announce.ts";
import { failureOf, isAbort, type Failure } from "./failure.ts";
import { isImage } from "./listing.ts";
import { route } from "./route.ts";
import { entryAt, type Opened } from "./opened.ts";
import { isWaiting, opened } from "./session.ts";

export interface Shown {
  /** The selector in the route. */
  selector: string | undefined;
  entry: ListingEntry | undefined;
  /** `undefined` for an index or artifact, which have no layers to show. */
  image?: Image;
  failure?: Failure;
}

export const shown = signal<Shown | undefined>(undefined);
export const layers = signal<readonly Layer[]>([]);
/** The progress of reading the layers. */
export const work = signal<{ what: Work; progress?: Progress } | undefined>(undefined);
export type Work = "reading" | "verifying" | "merging";

/** Changes when the rows change: the rows of a layer that fails disappear. */
export const revision = computed(() =>
  layers.value
    .filter((layer) => layer.state === "failed")
    .map((layer) => layer.layer)
    .join(),
);

const selector = computed(() => route.value.image);

effect(() => {
  const store = opened.value;
  const wanted = selector.value;
  if (!store || isWaiting.value) return;
  const controller = new AbortController();
  let end = () => {};
  shown.value = undefined;
  layers.value = [];
  work.value = undefined;
  show(store, wanted, controller.signal, (stop) => {
    end = stop;
  }).catch((error: unknown) => {
    if (!isAbort(error)) throw error;
  });
  return () => {
    controller.abort();
    end();
  };
});

/** The image that is open. It is closed after the next one is open, which may have the same layers. */
let current: Image | undefined;

function replaceBy(next?: Image): void {
  // If the store is closed already, so is the image.
  current?.close().catch(() => {});
  current = next;
}

async function entryOf(store: Opened, wanted: string | undefined): Promise<ListingEntry | undefined> {
  const exact = entryAt(store, wanted);
  if (exact) return exact;
  const { digest } = await store.store.resolve(wanted);
  return [...store.addresses.keys()].find((entry) => entry.digest === digest);
}

async function show(
  store: Opened,
  wanted: string | undefined,
  signal: AbortSignal,
  onStop: (stop: () => void) => void,
): Promise<void> {
  let entry: ListingEntry | undefined;
  let image: Image;
  try {
    entry = await entryOf(store, wanted);
    if (signal.aborted) return;
    if (entry && !isImage(entry)) {
      replaceBy();
      shown.value = { selector: wanted, entry };
      return;
    }
    image = await store.store.image(wanted);
  } catch (error) {
    if (signal.aborted) return;
    replaceBy();
    shown.value = { selector: wanted, entry, failure: failureOf(error) };
    return;
  }
  if (signal.aborted) return image.close();
  replaceBy(image);
  layers.value = image.layers;
  onStop(image.watch(() => (layers.value = image.layers)));
  shown.value = { selector: wanted, entry, image };
  await read(image, signal);
}

async function read(image: Image, signal: AbortSignal): Promise<void> {
  const during = (what: "reading" | "verifying") => (progress: Progress) => {
    if (!signal.aborted) work.value = { what, progress };
  };
  announce("Reading the layers.");
  try {
    await image.scan({ signal, onProgress: during("reading") });
    await image.verify({ signal, onProgress: during("verifying") });
    if (!signal.aborted) work.value = { what: "merging" };
    // What was verified can be seen then. The tree shows an error.
    await image.rows({}, 0, 0).catch(() => {});
  } finally {
    if (!signal.aborted) work.value = undefined;
  }
  if (signal.aborted) return;
  const failed = image.layers.filter((layer) => layer.state === "failed").length;
  announce(
    failed
      ? `${failed} of ${image.layers.length} layers failed.`
      : `All ${image.layers.length} layers are verified.`,
  );
}
