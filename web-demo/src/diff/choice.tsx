/** Selects the image to compare with: one of the same file, or of a second one. */
import { images, platformOf, titleOf, wayTo } from "../listing.ts";
import { entryAt, type Opened } from "../opened.ts";
import { go, route } from "../route.ts";
import { other } from "./other.ts";
import type { ListingEntry } from "ocicle";

/** `v1 linux/amd64` */
export function fullName(store: Opened, entry: ListingEntry | undefined): string {
  if (!entry) return "";
  const tag = wayTo(store.listing.entries, entry)[0]?.tag;
  return [...new Set([tag ?? titleOf(entry), platformOf(entry)])].filter(Boolean).join(" ");
}

/** The value of an option: the name of the second file, if it is there, and the selector. */
type Place = [beside: string | null, against: string | undefined];

export function ImageSelect({ store }: { store: Opened }) {
  const { image, against, beside } = route.value;
  const second = other.value;
  const value: Place = [beside ?? null, against];
  const change = (text: string) => {
    const [file, address] = JSON.parse(text) as Place;
    go({ beside: file ?? undefined, against: address });
  };
  return (
    <select
      value={against ? JSON.stringify(value) : ""}
      onChange={(event) => event.currentTarget.value && change(event.currentTarget.value)}
    >
      <option value="">Choose an image</option>
      <Options store={store} beside={null} except={entryAt(store, image)} />
      {second && <Options store={second} beside={second.name} />}
    </select>
  );
}

function Options({
  store,
  beside,
  except,
}: {
  store: Opened;
  beside: string | null;
  except?: ListingEntry | undefined;
}) {
  return (
    <optgroup label={store.name}>
      {images(store.listing)
        .filter((entry) => entry !== except)
        .map((entry) => (
          <option key={entry.selector} value={JSON.stringify([beside, store.addresses.get(entry)])}>
            {fullName(store, entry)}
          </option>
        ))}
    </optgroup>
  );
}
