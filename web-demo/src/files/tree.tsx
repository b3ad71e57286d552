/** The file tree: a treegrid that renders only the rows in view. */
import { useEffect, useRef } from "preact/hooks";
import type { Image, Row, RowQuery } from "ocicle";
import { count } from "../format.ts";
import { revision } from "../image.ts";
import { go, route } from "../route.ts";
import { Problem, Waiting } from "../ui/notice.tsx";
import { Canvas, indexes, spanOf, useView } from "../ui/window.tsx";
import { step } from "./keys.ts";
import { reveal, TREE } from "../preview/reveal.ts";
import { parent } from "./locate.ts";
import type { RowPages } from "./pages.ts";
import { clearFilters, query, toggle } from "./query.ts";
import { TreeRow } from "./row.tsx";
import { useActive } from "./use-active.ts";
import { useRows } from "./use-rows.ts";

const ROW_HEIGHT = 30;
const COLUMNS = ["Name", "Size", "Wasted", "Layer", "Mode"] as const;
const CLASSES = { Name: "name", Size: "right", Wasted: "right wasted", Layer: "layer", Mode: "mode" };

export function FileTree({ image }: { image: Image }) {
  const { pages, failure } = useRows(image, query.value, revision.value);
  if (failure) return <Problem failure={failure} />;
  if (!pages) return <Waiting>Reading the layers …</Waiting>;
  return <Grid pages={pages} />;
}

function Grid({ pages }: { pages: RowPages }) {
  const box = useRef<HTMLDivElement>(null);
  const span = spanOf(useView(box), pages.total, ROW_HEIGHT);
  const path = route.value.path;
  const [active, moveTo] = useActive(pages, path, (index) => scrollTo(box.current, index));

  useEffect(() => pages.want(span.first, span.end), [pages, span.first, span.end]);

  const choose = (row: Row, index: number) => {
    moveTo(index);
    if (row.type === "dir" && row.entries > 0) toggle(row.path, row.open);
    go({ path: row.path });
    if (row.type !== "dir") reveal.value = row.path;
  };

  const pressOnRow = (key: string, row: Row | undefined): boolean => {
    if (!row) return false;
    const isOpen = row.open && row.entries > 0;
    if (key === "Enter" || key === " ") choose(row, active);
    else if (key === "ArrowRight") {
      if (isOpen) moveTo(active + 1);
      else if (row.type === "dir" && row.entries > 0) toggle(row.path, false);
    } else if (key === "ArrowLeft") {
      if (isOpen && row.depth > 0) toggle(row.path, true);
      else
        void pages.image
          .position(pages.query, parent(row.path))
          .then((index) => index !== undefined && moveTo(index));
    } else return false;
    return true;
  };

  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
    const to = step(event.key, active, pages.total, page);
    if (to !== undefined) moveTo(to);
    else if (!pressOnRow(event.key, pages.row(active))) return;
    event.preventDefault();
  };

  const click = (event: MouseEvent) => {
    const element = (event.target as Element).closest<HTMLElement>("[data-index]");
    const index = Number(element?.dataset.index);
    const row = element ? pages.row(index) : undefined;
    if (row) choose(row, index);
  };

  return (
    <div class="tree-box">
      <div
        ref={box}
        id={TREE}
        class="tree"
        role="treegrid"
        aria-label={`Files, ${count(pages.total)} rows`}
        aria-rowcount={pages.total + 1}
        aria-activedescendant={pages.row(active) ? `row-${active}` : undefined}
        tabIndex={0}
        onKeyDown={press}
        onClick={click}
      >
        <div role="rowgroup" class="head">
          <div role="row" class="row" aria-rowindex={1}>
            {COLUMNS.map((name) => (
              <div key={name} role="columnheader" class={CLASSES[name]}>
                {name}
              </div>
            ))}
          </div>
        </div>
        <Canvas height={pages.total * ROW_HEIGHT} role="rowgroup">
          {indexes(span, active, pages.total).map((index) => {
            const row = pages.row(index);
            // A row that is loading leaves its place empty.
            if (!row) return null;
            return (
              <TreeRow
                key={index}
                row={row}
                index={index}
                active={index === active}
                chosen={row.path === path}
                top={index * ROW_HEIGHT}
              />
            );
          })}
        </Canvas>
      </div>
      {pages.total <= 1 && <Nothing query={pages.query} />}
    </div>
  );
}

function Nothing({ query }: { query: RowQuery }) {
  if (!query.name && !query.changes && !query.wasted) return <p class="nothing">There are no files.</p>;
  return (
    <p class="nothing">
      No files match.{" "}
      <button type="button" onClick={clearFilters}>
        Show all
      </button>
    </p>
  );
}

/** Scrolls until a row is visible below the headings. */
function scrollTo(box: HTMLElement | null, index: number): void {
  if (!box) return;
  const top = index * ROW_HEIGHT;
  const height = box.clientHeight - ROW_HEIGHT;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW_HEIGHT > box.scrollTop + height) box.scrollTop = top + ROW_HEIGHT - height;
}
