/** The shortest readable selector of each entry of a listing, or its exact position. */
import type { Listing, ListingEntry, Platform } from "ocicle";
import { entriesOf } from "./listing.ts";

/** Characters with no special meaning in a selector or a shell. */
const PLAIN = /^[\w./:@+-]+$/;

/** Whether a platform matches; fields that are not given match anything. */
function fits(asked: Platform, given: Platform | null): boolean {
  return (
    given?.os === asked.os &&
    given.architecture === asked.architecture &&
    (!asked.variant || given.variant === asked.variant)
  );
}

function clause(entry: ListingEntry): [text: string, fits: (other: ListingEntry) => boolean] | undefined {
  const { platform, artifactType, kind } = entry;
  if (platform && !platform["os.version"] && !platform["os.features"]) {
    const text = [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
    return [`platform=${text}`, (other) => fits(platform, other.platform)];
  }
  if (artifactType) return [`artifact=${artifactType}`, (other) => other.artifactType === artifactType];
  return kind === "index" ? ["type=index", (other) => other.kind === "index"] : undefined;
}

function short(root: ListingEntry, entry: ListingEntry, below: readonly ListingEntry[]): string | undefined {
  if (!root.tag || !PLAIN.test(root.tag)) return undefined;
  if (entry === root) return root.tag;
  const [text, isMeant] = clause(entry) ?? [];
  if (!text || !isMeant || !PLAIN.test(text.replace("=", ""))) return undefined;
  return below.filter(isMeant).length === 1 ? `${root.tag}//${text}` : undefined;
}

export function addresses(listing: Listing): Map<ListingEntry, string> {
  const found = new Map<ListingEntry, string>();
  for (const root of listing.entries) {
    const below = [...entriesOf(root.entries)];
    const isOnly = listing.entries.filter((other) => other.tag === root.tag).length === 1;
    for (const entry of [root, ...below])
      found.set(entry, (isOnly && short(root, entry, below)) || entry.selector);
  }
  return found;
}
