/** Finding one's way in a listing. */
import type { Listing, ListingEntry } from "ocicle";

/** Every entry, parents before children. */
export function* entriesOf(entries: readonly ListingEntry[]): Generator<ListingEntry> {
  for (const entry of entries) {
    yield entry;
    yield* entriesOf(entry.entries);
  }
}

/** Something with layers that make a file tree. */
export function isImage(entry: ListingEntry): boolean {
  return entry.kind === "manifest" && entry.artifactType === null && entry.attests === null && entry.problem === null;
}

export function platformOf(entry: ListingEntry): string | undefined {
  const platform = entry.platform;
  if (!platform) return undefined;
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
}

/** What an entry is called where it stands. */
export function titleOf(entry: ListingEntry): string {
  return entry.tag ?? platformOf(entry) ?? entry.artifactType ?? entry.kind;
}

export function images(listing: Listing): ListingEntry[] {
  return [...entriesOf(listing.entries)].filter(isImage);
}

/** What is shown first: the image tagged `latest`, or else the first; of several platforms, that of most machines. */
export function firstImage(listing: Listing): ListingEntry | undefined {
  const roots = listing.entries.toSorted((a, b) => Number(b.tag === "latest") - Number(a.tag === "latest"));
  for (const root of roots) {
    const below = [...entriesOf([root])].filter(isImage);
    const usual = below.find((entry) => entry.platform?.architecture === "amd64" && entry.platform.os === "linux");
    if (below[0]) return usual ?? below[0];
  }
  return undefined;
}

/** The way to an entry, itself last. */
export function wayTo(entries: readonly ListingEntry[], wanted: ListingEntry): ListingEntry[] {
  for (const entry of entries) {
    if (entry === wanted) return [entry];
    const below = wayTo(entry.entries, wanted);
    if (below.length) return [entry, ...below];
  }
  return [];
}
