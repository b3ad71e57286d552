/** The layers: their commands, sizes, wasted bytes and verification. */
import type { Image, Layer } from "ocicle";
import { titleOf } from "../failure.ts";
import { command, count, percent, plural, shortDigest, size } from "../format.ts";
import { layers, revision } from "../image.ts";
import { href } from "../route.ts";
import { Gauge } from "../ui/gauge.tsx";
import { LayerChip } from "../ui/layer-chip.tsx";
import { LayerState } from "../ui/layer-state.tsx";
import { reasonOf } from "../ui/left-out.tsx";
import { useAsync } from "../use-async.ts";

interface Sums {
  files: number;
  bytes: number;
  wasted: number;
}

async function sumsOf(image: Image): Promise<Map<number, Sums>> {
  const all = image.layers.map(async ({ layer }) => {
    const [stored, hidden] = await Promise.all([
      image.rows({ layer }, 0, 0),
      image.rows({ layer, wasted: true }, 0, 0),
    ]);
    return [layer, { files: stored.files, bytes: stored.bytes, wasted: hidden.bytes }] as const;
  });
  return new Map(await Promise.all(all));
}

export function LayersView({ image }: { image: Image }) {
  const sums = useAsync(() => sumsOf(image), [image, revision.value]);
  const largest = Math.max(1, ...layers.value.map((layer) => layer.size));
  return (
    <ol class="layers">
      {layers.value.map((layer) => (
        <LayerCard
          key={layer.layer}
          layer={layer}
          largest={largest}
          sums={sums.state === "done" ? sums.value.get(layer.layer) : undefined}
        />
      ))}
    </ol>
  );
}

function LayerCard({ layer, sums, largest }: { layer: Layer; sums: Sums | undefined; largest: number }) {
  return (
    <li class="card">
      <div class="card-head">
        <LayerChip layer={layer.layer} />
        <h2>
          <code>{command(layer.createdBy) || "No command is recorded"}</code>
        </h2>
        <LayerState layer={layer} />
      </div>
      <Gauge value={layer.size} of={largest} />
      <dl class="numbers">
        <div>
          <dt>Blob</dt>
          <dd title={`${count(layer.size)} bytes`}>{size(layer.size)}</dd>
        </div>
        {sums && layer.state !== "failed" && <Contents layer={layer} sums={sums} />}
        <div>
          <dt>Digest</dt>
          <dd class="mono" title={layer.digest}>
            {shortDigest(layer.digest)}
          </dd>
        </div>
      </dl>
      {layer.error && (
        <p class="error">
          <strong>{layer.urls ? "Foreign" : titleOf(layer.error)}.</strong> {reasonOf(layer)}
        </p>
      )}
    </li>
  );
}

function Contents({ layer, sums }: { layer: Layer; sums: Sums }) {
  return (
    <>
      <div>
        <dt>Files</dt>
        <dd title={`${count(sums.bytes)} bytes`}>
          <a href={href({ view: "files", layer: layer.layer, path: "/" })}>{plural(sums.files, "file")}</a>
          {`, ${size(sums.bytes)}`}
        </dd>
      </div>
      <div>
        <dt>Wasted</dt>
        <dd title={`${count(sums.wasted)} bytes`}>
          {sums.wasted ? `${size(sums.wasted)}, ${percent(sums.wasted, sums.bytes)}` : "nothing"}
        </dd>
      </div>
    </>
  );
}
