/** Finds entries in a listing. */
import type { Listing, ListingEntry } from "ocicle";

/** The annotation with the tag; `tag` of an entry may be the whole name of the image. */
const REF_NAME = "org.opencontainers.image.ref.name";

/** Iterates over all entries, parents before children. */
export function* entriesOf(entries: readonly ListingEntry[]): Generator<ListingEntry> {
  for (const entry of entries) {
    yield entry;
    yield* entriesOf(entry.entries);
  }
}

/** Whether an entry is an image, not an index, artifact or attestation. */
export function isImage(entry: ListingEntry): boolean {
  return (
    entry.kind === "manifest" &&
    entry.artifactType === null &&
    entry.attests === null &&
    entry.problem === null
  );
}

export function platformOf(entry: ListingEntry): string | undefined {
  const platform = entry.platform;
  if (!platform) return undefined;
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
}

/** Returns the title of an entry in the tree. */
export function titleOf(entry: ListingEntry): string {
  return entry.tag ?? platformOf(entry) ?? entry.artifactType ?? entry.kind;
}

export function images(listing: Listing): ListingEntry[] {
  return [...entriesOf(listing.entries)].filter(isImage);
}

/**
 * Returns the image to show first: `latest` or the first one, for linux/amd64 if there are several platforms.
 */
export function firstImage(listing: Listing): ListingEntry | undefined {
  const isLatest = ({ annotations }: ListingEntry) => Number(annotations[REF_NAME] === "latest");
  const roots = listing.entries.toSorted((a, b) => isLatest(b) - isLatest(a));
  for (const root of roots) {
    const below = [...entriesOf([root])].filter(isImage);
    const usual = below.find(
      (entry) => entry.platform?.architecture === "amd64" && entry.platform.os === "linux",
    );
    if (below[0]) return usual ?? below[0];
  }
  return undefined;
}

/** Returns the entries from the root to an entry. */
export function wayTo(entries: readonly ListingEntry[], wanted: ListingEntry): ListingEntry[] {
  for (const entry of entries) {
    if (entry === wanted) return [entry];
    const below = wayTo(entry.entries, wanted);
    if (below.length) return [entry, ...below];
  }
  return [];
}
