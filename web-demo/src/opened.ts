/** An open store with its listing. */
import type { Listing, ListingEntry, Source, Store } from "ocicle";
import { addresses } from "./address.ts";
import { openStore } from "./engine.ts";
import type { Step } from "./route.ts";

export interface Opened {
  store: Store;
  /** The file's own name. */
  name: string;
  isSample: boolean;
  listing: Listing;
  /** The selector of each entry in the route. */
  addresses: Map<ListingEntry, string>;
}

export async function openNamed(source: Source, name: string, isSample = false): Promise<Opened> {
  const store = await openStore(source);
  try {
    const listing = await store.list();
    return { store, name, isSample, listing, addresses: addresses(listing) };
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Returns the name of the store in the route; `undefined` for the sample. */
export function nameIn(store: Opened): string | undefined {
  return store.isSample ? undefined : store.name;
}

/** Returns the change of the route to another image. */
export function stepTo(store: Opened, entry: ListingEntry | undefined): Step {
  const image = entry && store.addresses.get(entry);
  return { store: nameIn(store), image, path: "/", layer: undefined, against: undefined, beside: undefined };
}

/** Returns the entry that a selector in the route refers to: its short selector or its position. */
export function entryAt(store: Opened | undefined, image: string | undefined): ListingEntry | undefined {
  const all = [...(store?.addresses ?? [])];
  return all.find(([entry, address]) => address === image || entry.selector === image)?.[0];
}
