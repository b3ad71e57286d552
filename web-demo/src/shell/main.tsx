/** The selected image: its name, its views, and the command line. */
import { useEffect } from "preact/hooks";
import type { Image, ListingEntry } from "ocicle";
import { commandFor } from "../command.ts";
import { shortDigest, size } from "../format.ts";
import type { Shown } from "../image.ts";
import { platformOf, titleOf, wayTo } from "../listing.ts";
import { href, route, type View } from "../route.ts";
import { screen } from "../screen.ts";
import type { Opened } from "../opened.ts";
import { CommandLine } from "../ui/command-line.tsx";
import { Problem } from "../ui/notice.tsx";
import { AboutView } from "../views/about.tsx";
import { ConfigView } from "../views/config.tsx";
import { DiffView } from "../views/diff.tsx";
import { ExportView } from "../views/export.tsx";
import { FilesView } from "../views/files.tsx";
import { LayersView } from "../views/layers.tsx";
import { SpaceView } from "../views/space.tsx";
import { WasteView } from "../views/waste.tsx";
import { Verification } from "./verification.tsx";

type ViewComponent = (props: { image: Image; store: Opened }) => preact.JSX.Element;

const VIEWS: Record<View, [name: string, view: ViewComponent]> = {
  files: ["Files", FilesView],
  layers: ["Layers", LayersView],
  space: ["Space", SpaceView],
  waste: ["Waste", WasteView],
  config: ["Config", ConfigView],
  diff: ["Diff", DiffView],
  export: ["Export", ExportView],
};

export function Main({ store, shown }: { store: Opened; shown: Shown }) {
  const { entry, image, failure } = shown;
  useEffect(() => {
    document.title = `${entry ? titlesOf(store, entry) : store.name} – ocicle`;
  }, [store, entry]);
  return (
    <main id="main" tabIndex={-1}>
      <div class="title">
        <h1>{entry ? <Heading store={store} entry={entry} /> : shown.selector}</h1>
        {image && <Verification />}
      </div>
      {image && <Views />}
      <div
        class="view"
        key={`${shown.selector} ${route.value.view}`}
        role="region"
        aria-label={VIEWS[route.value.view][0]}
        tabIndex={0}
      >
        {failure && (
          <Problem failure={failure} about={shown.selector ?? store.name}>
            {failure.kind === "notFound" && shown.selector !== undefined && (
              <p>If this link refers to another file than {store.name}, open that file.</p>
            )}
          </Problem>
        )}
        {image && <ViewOf image={image} store={store} />}
        {!image && entry && <AboutView store={store} entry={entry} />}
      </div>
      <CommandLine {...commandFor(route.value, store.name, screen.value)} />
    </main>
  );
}

function ViewOf({ image, store }: { image: Image; store: Opened }) {
  const [, View] = VIEWS[route.value.view];
  return <View image={image} store={store} />;
}

function titlesOf(store: Opened, entry: ListingEntry): string {
  return wayTo(store.listing.entries, entry).map(titleOf).join(" / ");
}

function Heading({ store, entry }: { store: Opened; entry: ListingEntry }) {
  const title = titlesOf(store, entry);
  const platform = platformOf(entry);
  return (
    <>
      {title}{" "}
      <small>
        {platform && !title.includes(platform) && <span>{platform}</span>}{" "}
        <span title={entry.digest}>{shortDigest(entry.digest)}</span>{" "}
        {entry.imageSize !== null && <span>{size(entry.imageSize)}</span>}
      </small>
    </>
  );
}

function Views() {
  return (
    <nav class="views" aria-label="Views">
      {(Object.entries(VIEWS) as [View, [string, ViewComponent]][]).map(([view, [name]]) => (
        <a key={view} href={href({ view })} aria-current={route.value.view === view ? "page" : undefined}>
          {name}
        </a>
      ))}
    </nav>
  );
}
