/** A store that is open, and what is known of it. */
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
  /** What follows `#` in links to each entry. */
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

/** What an address calls the store; the sample needs no name. */
export function nameIn(store: Opened): string | undefined {
  return store.isSample ? undefined : store.name;
}

/** A step of the address to another image. */
export function stepTo(store: Opened, entry: ListingEntry | undefined): Step {
  const image = entry && store.addresses.get(entry);
  return { store: nameIn(store), image, path: "/", layer: undefined, against: undefined, beside: undefined };
}

/** The entry that a link is to, be it by its short address or by its place. */
export function entryAt(store: Opened | undefined, image: string | undefined): ListingEntry | undefined {
  const all = [...(store?.addresses ?? [])];
  return all.find(([entry, address]) => address === image || entry.selector === image)?.[0];
}
