/** The details of the selected path. */
import type { Image, Row } from "ocicle";
import { layerOf, selection } from "../files/selection.ts";
import { parent, resolved } from "../files/locate.ts";
import { iconOf } from "../files/row.tsx";
import { permissions, plural, time } from "../format.ts";
import { href } from "../route.ts";
import { Icon } from "../ui/icon.tsx";
import { Note, Problem } from "../ui/notice.tsx";
import { Size } from "../ui/size.tsx";
import { Content } from "./content.tsx";
import { Deeds } from "./deeds.tsx";
import { toTree, TREE, useReveal } from "./reveal.ts";

export function Preview({ image }: { image: Image }) {
  const chosen = selection.value;
  if (!chosen) return null;
  if ("failure" in chosen) return <Problem failure={chosen.failure} />;
  return <About image={image} row={chosen.row} />;
}

function About({ image, row }: { image: Image; row: Row }) {
  const heading = useReveal(row.path);
  const layer = layerOf(row);
  return (
    <section class="preview" aria-label={`About ${row.path}`}>
      <a class="to-tree" href={`#${TREE}`} onClick={toTree}>
        Back to the files
      </a>
      <h2 ref={heading} title={row.path} tabIndex={-1}>
        <Icon name={iconOf(row.type)} /> <Crumbs path={row.path} />
      </h2>
      <Facts row={row} />
      <Deeds key={`deeds ${row.path}`} image={image} row={row} />
      {!row.exists && (
        <Note>
          Not in the final image: {row.change === "removed" ? "this" : "a later"} layer removes it.
          {layer !== undefined && row.type === "file" && ` The content below is that of layer ${layer}.`}
        </Note>
      )}
      {row.exists && row.hidden > 0 && layer !== undefined && row.type === "file" && (
        <Note>A later layer replaces this file. The content below is that of layer {layer}.</Note>
      )}
      {row.type === "file" && (layer ?? row.mode) !== undefined && (
        <Content key={`${layer} ${row.path}`} image={image} row={row} layer={layer} />
      )}
    </section>
  );
}

function Crumbs({ path }: { path: string }) {
  if (path === "/") return <span>/</span>;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const above = parent(path);
  return (
    <span>
      <a class="faint" href={href({ path: above })}>
        {above === "/" ? "/" : `${above}/`}
      </a>
      {name}
    </span>
  );
}

function Facts({ row }: { row: Row }) {
  return (
    <p class="facts">
      <span>
        <Size bytes={row.size} />
        {row.type === "dir" && ` in and below, ${plural(row.entries, "name")}`}
      </span>
      {row.mode !== undefined && <span class="mono">{permissions(row.mode, row.type)}</span>}
      {row.uid !== undefined && (
        <span>
          owner {row.uid}:{row.gid}
        </span>
      )}
      {row.mtime !== undefined && <time dateTime={row.mtime}>{time(row.mtime)}</time>}
      {(row.nlink ?? 1) > 1 && row.type === "file" && <span>{row.nlink} hard links</span>}
      {row.target !== undefined && <Target row={row} />}
    </p>
  );
}

/** The target of a symbolic link, as a link to it. */
function Target({ row }: { row: Row }) {
  const target = row.target ?? "";
  return (
    <span>
      leads to <a href={href({ path: resolved(target, parent(row.path)) })}>{target}</a>
    </span>
  );
}
