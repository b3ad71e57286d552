/** An index, an artifact, or an object that cannot be read. */
import type { ListingEntry } from "ocicle";
import { size, shortDigest } from "../format.ts";
import { platformOf, titleOf } from "../listing.ts";
import { href } from "../route.ts";
import { stepTo, type Opened } from "../opened.ts";
import { Note, Problem, Waiting } from "../ui/notice.tsx";
import { useAsync } from "../use-async.ts";

/** Larger blobs are not shown as documents. */
const DOCUMENT = 1024 * 1024;

export function AboutView({ store, entry }: { store: Opened; entry: ListingEntry }) {
  const facts: [string, string | null | undefined][] = [
    ["Media type", entry.mediaType],
    ["Artifact type", entry.artifactType],
    ["Platform", platformOf(entry)],
    ["Digest", entry.digest],
    ["Size", size(entry.size)],
    ["About", entry.subject],
    ["Attests", entry.attests],
    ...Object.entries(entry.annotations),
  ];
  return (
    <div class="about">
      {entry.problem !== null && <Problem failure={{ kind: "corrupt", message: entry.problem }} />}
      <dl class="pairs">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {entry.entries.length > 0 && <Members store={store} entries={entry.entries} />}
      {entry.size <= DOCUMENT ? (
        <Document key={entry.digest} store={store} digest={entry.digest} />
      ) : (
        <Note>This blob is too large to be shown.</Note>
      )}
    </div>
  );
}

function Members({ store, entries }: { store: Opened; entries: ListingEntry[] }) {
  return (
    <section>
      <h2>Holds</h2>
      <ul class="members">
        {entries.map((entry) => (
          <li key={entry.selector}>
            <a href={href(stepTo(store, entry))}>{titleOf(entry)}</a>{" "}
            <span class="faint">
              {entry.kind}, {entry.imageSize === null ? shortDigest(entry.digest) : size(entry.imageSize)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function pretty(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Document({ store, digest }: { store: Opened; digest: string }) {
  const blob = useAsync(() => store.store.blob(digest), [store, digest]);
  return (
    <section>
      <h2>Document</h2>
      {blob.state === "waiting" && <Waiting>Reading …</Waiting>}
      {blob.state === "failed" && <Problem failure={blob.failure} />}
      {blob.state === "done" && (
        <pre class="content" tabIndex={0} role="region" aria-label="Document">
          {pretty(blob.value)}
        </pre>
      )}
    </section>
  );
}
