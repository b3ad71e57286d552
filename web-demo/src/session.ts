/** The store that is open. */
import { computed, effect, signal } from "@preact/signals";
import type { Source } from "ocicle";
import { announce } from "./announce.ts";
import { sample } from "./engine.ts";
import { failureOf, refusalOf, type Failure } from "./failure.ts";
import { firstImage } from "./listing.ts";
import { entryAt, nameIn, openNamed, stepTo, type Opened } from "./opened.ts";
import { connects, isAddress, sourceAt } from "./remote.ts";
import { go, route } from "./route.ts";

export const opened = signal<Opened | undefined>(undefined);
/** The name of the source that is being opened. */
export const opening = signal<string | undefined>(undefined);
/** Why the last source could not be opened. The store that was open stays open. */
export const refusal = signal<{ name: string; failure: Failure } | undefined>(undefined);

let latest = 0;

/** The number of sources that the back button can open again. */
const REMEMBERED = 10;

/** The latest sources, by their name in the route. A `File` is only a handle. */
const sources = new Map<string | undefined, Source>();

function remember(name: string | undefined, source: Source): void {
  sources.delete(name);
  sources.set(name, source);
  const oldest = sources.keys().next();
  if (sources.size > REMEMBERED && !oldest.done) sources.delete(oldest.value);
}

export async function openSource(
  source: Source | Promise<Source>,
  name: string,
  isSample = false,
): Promise<void> {
  latest += 1;
  const turn = latest;
  opening.value = name;
  refusal.value = undefined;
  try {
    const taken = await source;
    const made = await openNamed(taken, name, isSample);
    if (turn !== latest) return made.store.close();
    const before = opened.peek();
    before?.store.close();
    remember(nameIn(made), taken);
    opened.value = made;
    announce(`${name} is open.`);
    settle(made, before);
  } catch (error) {
    if (turn !== latest) return;
    const failure = failureOf(error);
    refusal.value = { name, failure };
    announce(`${name} cannot be opened. ${refusalOf(failure)}: ${failure.message}`);
  } finally {
    if (turn === latest) opening.value = undefined;
  }
}

/** Opens the sample, and then the address of the route. */
export async function start(): Promise<void> {
  await openSource(sample(), "sample.tar", true);
  follow(wanted.peek());
}

/** Whether the route refers to a file that is not open. */
export const isWaiting = computed(
  () => opened.value !== undefined && route.value.store !== nameIn(opened.value),
);

/** Goes to the first image, unless the route refers to one of this store. */
function settle(store: Opened, before: Opened | undefined): void {
  const { image, store: wanted } = route.peek();
  const name = nameIn(store);
  // A link to this file, even if its image does not exist. A file of the same name replaces the first.
  const isSameName = before !== undefined && nameIn(before) === name;
  if (image !== undefined && wanted === name && (!isSameName || entryAt(store, image))) return;
  if (store.isSample && wanted !== undefined) return;
  // A link without a file name, to an image that the store before did not have.
  if (wanted === undefined && !entryAt(before, image) && entryAt(store, image))
    return go({ store: name }, "replace");
  const first = firstImage(store.listing) ?? store.listing.entries[0];
  go(stepTo(store, first), store.isSample ? "replace" : "push");
}

const wanted = computed(() => route.value.store);

function follow(name: string | undefined): void {
  const source = sources.get(name) ?? (connects && isAddress(name) ? sourceAt(name) : undefined);
  const store = opened.peek();
  if (source && store && nameIn(store) !== name)
    void openSource(source, name ?? "sample.tar", name === undefined);
}

effect(() => follow(wanted.value));
