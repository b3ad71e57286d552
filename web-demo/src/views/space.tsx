/** Sizes of directories and files, as a treemap and as a table. */
import { useState } from "preact/hooks";
import type { Box, Image } from "ocicle";
import { count, percent, size } from "../format.ts";
import { parent } from "../files/locate.ts";
import { pathKind } from "../files/selection.ts";
import { revision } from "../image.ts";
import { go, href, route, type Step } from "../route.ts";
import { Treemap } from "../space/treemap.tsx";
import { Choice } from "../ui/choice.tsx";
import { Gauge } from "../ui/gauge.tsx";
import { LeftOut } from "../ui/left-out.tsx";
import { Problem, Waiting } from "../ui/notice.tsx";
import { Size } from "../ui/size.tsx";
import { SortedTable, type Column } from "../ui/sorted-table.tsx";
import { useAsync } from "../use-async.ts";

type By = "directory" | "layer";
const WAYS = [
  { value: "directory", label: "By directory" },
  { value: "layer", label: "By layer" },
] as const;
/** More boxes would be slow to draw. */
const PARTS = 1200;

export function SpaceView({ image }: { image: Image }) {
  const [by, setBy] = useState<By>("directory");
  const { path } = route.value;
  // The treemap of a file is that of its directory.
  const top = pathKind.value === "dir" ? path : parent(path);
  const map = useAsync(
    () => image.treemap({ by, path: top, parts: PARTS }),
    [image, by, top, revision.value],
  );
  return (
    <div class="space">
      <div class="toolbar">
        <Choice legend="Group" options={WAYS} value={by} onChange={setBy} />
        <Way path={top} />
      </div>
      <LeftOut />
      {map.state === "waiting" && <Waiting>Adding up …</Waiting>}
      {map.state === "failed" && <Problem failure={map.failure} />}
      {map.state === "done" && <Map root={map.value} by={by} top={top} />}
    </div>
  );
}

/** The links from the root to the directory. */
function Way({ path }: { path: string }) {
  const names = path.split("/").filter(Boolean);
  return (
    <nav class="way" aria-label="Directory">
      {["/", ...names].map((name, at) => (
        <a
          key={at}
          href={href({ path: `/${names.slice(0, at).join("/")}` })}
          aria-current={at === names.length ? "location" : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}

function Map({ root, by, top }: { root: Box; by: By; top: string }) {
  if (root.size === 0) return <p class="faint">There are no bytes in {top}.</p>;
  const choose = (box: Box) => {
    if (box.children?.length && box.path && by === "directory") go({ path: box.path });
    else if (box.path && !box.children?.length) go(fileOf(box, by));
  };
  const columns: Column<Box>[] = [
    { name: "Name", by: (box) => box.name, cell: (box) => <Name box={box} by={by} /> },
    { name: "Size", by: (box) => box.size, cell: (box) => <Size bytes={box.size} />, numeric: true },
    {
      name: "Share",
      by: (box) => box.size,
      numeric: true,
      cell: (box) => (
        <span class="share">
          <Gauge value={box.size} of={root.size} /> {percent(box.size, root.size)}
        </span>
      ),
    },
  ];
  return (
    <>
      <Treemap
        root={root}
        label={`Treemap of ${top}, ${size(root.size)}; the table below has the same numbers`}
        onChoose={choose}
      />
      <SortedTable
        caption={`Sizes in ${top}, ${count(root.size)} bytes in all`}
        columns={columns}
        rows={rowsOf(root)}
        rowKey={(box) => `${box.path} ${box.name} ${box.layer}`}
        sortedBy="Size"
      />
    </>
  );
}

/** A file in the tree; of a layer, as the layer has it. */
function fileOf({ path, layer }: Box, by: By): Step {
  return { view: "files", path, layer: by === "layer" ? layer : undefined };
}

/** The boxes, and the rest that is too small for boxes. */
function rowsOf({ children = [], rest = 0 }: Box): Box[] {
  return rest > 0 ? [...children, { name: "smaller files", path: "", size: rest }] : children;
}

function Name({ box, by }: { box: Box; by: By }) {
  if (!box.path && !box.layer) return <span class="faint">{box.name}</span>;
  if (by === "layer") return <a href={href({ view: "files", layer: box.layer, path: "/" })}>{box.name}</a>;
  return (
    <a href={href(box.children?.length ? { path: box.path } : fileOf(box, by))}>
      {box.name}
    </a>
  );
}
