/** The tree of images in the store. */
import { useState } from "preact/hooks";
import type { ListingEntry } from "ocicle";
import { size } from "../format.ts";
import { shown } from "../image.ts";
import { isImage, titleOf } from "../listing.ts";
import { href } from "../route.ts";
import { stepTo, type Opened } from "../opened.ts";
import { Icon } from "../ui/icon.tsx";

export function Images({ store }: { store: Opened }) {
  // Only narrow pages collapse it.
  const [unfolded, setUnfolded] = useState(false);
  const chosen = shown.value?.entry;
  return (
    <nav class={`images${unfolded ? " unfolded" : ""}`} aria-label="Images">
      <button
        type="button"
        class="quiet fold"
        aria-expanded={unfolded}
        onClick={() => setUnfolded(!unfolded)}
      >
        <span class={`twisty${unfolded ? " open" : ""}`}>
          <Icon name="open" />
        </span>
        Images <span class="faint">{chosen && titleOf(chosen)}</span>
      </button>
      <Entries store={store} entries={store.listing.entries} chosen={chosen} />
      {store.listing.entries.length === 0 && <p class="faint">It is empty.</p>}
    </nav>
  );
}

interface Props {
  store: Opened;
  entries: readonly ListingEntry[];
  chosen: ListingEntry | undefined;
}

function Entries({ store, entries, chosen }: Props) {
  return (
    <ul>
      {entries.map((entry) => (
        <li key={entry.selector}>
          <a
            href={href(stepTo(store, entry))}
            aria-current={entry === chosen ? "page" : undefined}
            title={entry.digest}
          >
            <span class="text">{titleOf(entry)}</span>
            <Kind entry={entry} />
          </a>
          {entry.entries.length > 0 && <Entries store={store} entries={entry.entries} chosen={chosen} />}
        </li>
      ))}
    </ul>
  );
}

function Kind({ entry }: { entry: ListingEntry }) {
  if (entry.problem !== null) {
    return (
      <span class="state state-failed">
        <Icon name="failed" /> unreadable
      </span>
    );
  }
  if (entry.attests !== null) return <span class="faint">attestation</span>;
  if (entry.artifactType !== null) return <span class="faint">artifact</span>;
  if (isImage(entry))
    return <span class="faint number">{entry.imageSize !== null && size(entry.imageSize)}</span>;
  return (
    <span class="faint">{entry.kind === "index" ? `index of ${entry.entries.length}` : entry.kind}</span>
  );
}
