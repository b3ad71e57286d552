/** The treemap. The table below it has the same content for keys and screen readers. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Box } from "ocicle";
import { count, size } from "../format.ts";
import { tint } from "../ui/layer-chip.tsx";
import { fitted, layout, type Tile } from "./boxes.ts";

interface Props {
  root: Box;
  label: string;
  onChoose: (box: Box) => void;
}

/** Returns the available width. */
function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return [box, width] as const;
}

export function Treemap({ root, label, onChoose }: Props) {
  const [box, width] = useWidth();
  const height = Math.round(Math.max(260, Math.min(440, width * 0.6)));
  const tiles = useMemo(() => (width ? layout(root, width, height) : []), [root, width, height]);
  const click = (event: MouseEvent) => {
    const index = (event.target as Element).closest<SVGElement>("[data-tile]")?.dataset.tile;
    const tile = tiles[Number(index)];
    if (tile) onChoose(tile.data);
  };
  return (
    <div ref={box} class="treemap">
      <svg
        role="img"
        aria-label={label}
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        onClick={click}
      >
        {tiles.map((tile, index) => (
          <TileBox key={index} tile={tile} index={index} />
        ))}
      </svg>
    </div>
  );
}

/** Returns the colour: by layer, or by the top directory. */
function colour(tile: Tile): string {
  const way = tile.ancestors();
  const layer = way.find((node) => node.data.layer !== undefined)?.data.layer;
  if (layer !== undefined) return tint(layer);
  const top = way.at(-2);
  return top?.parent ? tint(top.parent.children!.indexOf(top) + 1) : tint(1);
}

function TileBox({ tile, index }: { tile: Tile; index: number }) {
  const { data, x0, y0, x1, y1 } = tile;
  const [width, height] = [x1 - x0, y1 - y0];
  const isLeaf = !tile.children;
  const text = height >= 15 && (isLeaf || tile.depth < 3) ? fitted(data.name, width) : "";
  return (
    <g data-tile={index} class={`tile ${isLeaf ? `leaf ${colour(tile)}` : "group"}`}>
      <rect x={x0} y={y0} width={width} height={height} rx={2} />
      <title>{`${data.path || data.name}\n${size(tile.value ?? 0)} (${count(tile.value ?? 0)} bytes)`}</title>
      {text && (
        <text x={x0 + 4} y={y0 + 13}>
          {text}
        </text>
      )}
    </g>
  );
}
