/** Bytes that the image stores but does not show. */
import type { Image, Waste } from "ocicle";
import { command, count, percent, plural, size } from "../format.ts";
import { layers } from "../image.ts";
import { href, type Step } from "../route.ts";
import { Gauge } from "../ui/gauge.tsx";
import { LayerChip } from "../ui/layer-chip.tsx";
import { Problem, Waiting } from "../ui/notice.tsx";
import { Size } from "../ui/size.tsx";
import { SortedTable, type Column } from "../ui/sorted-table.tsx";
import { useAsync } from "../use-async.ts";

export function WasteView({ image }: { image: Image }) {
  // A failed layer stays failed, so there is no result to wait for.
  const hasFailed = layers.value.some((layer) => layer.state === "failed");
  const waste = useAsync((signal) => image.waste({ signal }), [image, hasFailed]);
  if (waste.state === "waiting") return <Waiting>Reading all layers to find duplicate content …</Waiting>;
  if (waste.state === "failed")
    return <Problem failure={waste.failure} about="The waste cannot be counted" />;
  return <Report waste={waste.value} />;
}

function Report({ waste }: { waste: Waste }) {
  return (
    <div class="waste">
      <p class="lead">
        <strong>{percent(waste.visible, waste.stored)}</strong> of {size(waste.stored)} is visible.{" "}
        {waste.hidden ? (
          <>
            <strong title={`${count(waste.hidden)} bytes`}>{size(waste.hidden)}</strong> cannot, about{" "}
            {size(waste.hiddenCompressed)} of the download.
          </>
        ) : (
          "Nothing is hidden by a later layer."
        )}
      </p>
      <Gauge value={waste.efficiency} of={1} />
      <Causes waste={waste} />
      {waste.paths.length > 0 && <Paths waste={waste} />}
      <Layers waste={waste} />
    </div>
  );
}

function Causes({ waste }: { waste: Waste }) {
  const causes: [name: string, bytes: number, meaning: string][] = [
    ["Overwritten", waste.overwritten, "a later layer has the file again"],
    [
      "Only attributes",
      waste.metadataOnly,
      "a later layer stores the same content with other attributes (chmod, chown)",
    ],
    ["Removed", waste.removed, "a later layer removes the file"],
    ["With a directory", waste.removedWithDirectory, "a later layer removes the directory it is in"],
    ["Twice", waste.duplicate, "the same content at two visible paths"],
  ];
  return (
    <dl class="numbers causes">
      {causes.map(([name, bytes, meaning]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Size bytes={bytes} />
            <small>{meaning}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

type Path = Waste["paths"][number];

function Paths({ waste }: { waste: Waste }) {
  const columns: Column<Path>[] = [
    {
      name: "Path",
      by: (row) => row.path,
      cell: (row) => <a href={href(hidden(row))}>{row.path}</a>,
    },
    { name: "Wasted", by: (row) => row.hidden, cell: (row) => <Size bytes={row.hidden} />, numeric: true },
    {
      name: "Layers",
      by: (row) => row.layers.length,
      cell: (row) => row.layers.map((layer) => <LayerChip key={layer} layer={layer} />),
    },
  ];
  return (
    <>
      <h2>{plural(waste.paths.length, "path")}</h2>
      <SortedTable
        caption="Wasted by path"
        columns={columns}
        rows={waste.paths}
        rowKey={(row) => row.path}
        sortedBy="Wasted"
      />
    </>
  );
}

/** The last layer that stores what is hidden, with the file as it is there. */
function hidden({ path, layers }: Path): Step {
  return { view: "files", path, layer: layers.at(-1) };
}

type LayerWaste = Waste["layers"][number];

function Layers({ waste }: { waste: Waste }) {
  const columns: Column<LayerWaste>[] = [
    {
      name: "Layer",
      by: (row) => -row.layer,
      cell: (row) => <LayerChip layer={row.layer} />,
      numeric: false,
    },
    {
      name: "Command",
      by: (row) => row.createdBy ?? "",
      cell: (row) => <code class="clip">{command(row.createdBy)}</code>,
    },
    { name: "Stored", by: (row) => row.stored, cell: (row) => <Size bytes={row.stored} />, numeric: true },
    {
      name: "Wasted",
      by: (row) => row.hidden,
      cell: (row) => <Size bytes={row.hidden} quiet />,
      numeric: true,
    },
    {
      name: "Twice",
      by: (row) => row.duplicate,
      cell: (row) => <Size bytes={row.duplicate} quiet />,
      numeric: true,
    },
  ];
  return (
    <>
      <h2>By layer</h2>
      <SortedTable
        caption="Wasted by layer"
        columns={columns}
        rows={waste.layers}
        rowKey={(row) => String(row.layer)}
        sortedBy="Wasted"
      />
    </>
  );
}
