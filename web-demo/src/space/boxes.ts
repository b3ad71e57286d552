/** Lays out a treemap. */
import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from "d3-hierarchy";
import type { Box } from "ocicle";

export type Tile = HierarchyRectangularNode<Box>;

/** The height of a box's heading. */
const HEAD = 18;

export function layout(root: Box, width: number, height: number): Tile[] {
  const tree = hierarchy(root, (box) => box.children ?? null)
    // The rest that is too small for boxes stays empty in the box of its directory.
    .sum((box) => (box.children?.length ? (box.rest ?? 0) : box.size))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const placed = treemap<Box>()
    .tile(treemapSquarify)
    .size([width, height])
    .paddingInner(1)
    .paddingTop((node) => (node.depth > 0 && node.depth < 3 ? HEAD : 0))
    .paddingRight((node) => (node.depth > 0 ? 2 : 0))
    .paddingBottom((node) => (node.depth > 0 ? 2 : 0))
    .paddingLeft((node) => (node.depth > 0 ? 2 : 0))
    .round(true)(tree);
  return placed
    .descendants()
    .filter((tile) => tile.depth > 0 && tile.x1 - tile.x0 >= 1 && tile.y1 - tile.y0 >= 1);
}

/** Shortens a text to fit in a box. */
export function fitted(text: string, width: number): string {
  const letters = Math.floor((width - 8) / 6.4);
  if (letters < 3) return "";
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}
