/** The details of the selected path. */
import type { Image, Row } from "ocicle";
import { selection } from "../files/selection.ts";
import { parent, resolved } from "../files/locate.ts";
import { iconOf } from "../files/row.tsx";
import { permissions, plural, time } from "../format.ts";
import { href, route } from "../route.ts";
import { Icon } from "../ui/icon.tsx";
import { Note, Problem } from "../ui/notice.tsx";
import { Size } from "../ui/size.tsx";
import { Content } from "./content.tsx";
import { Deeds } from "./deeds.tsx";

export function Preview({ image }: { image: Image }) {
  const chosen = selection.value;
  if (!chosen) return null;
  if ("failure" in chosen) return <Problem failure={chosen.failure} />;
  const { row } = chosen;
  const { layer } = route.value;
  return (
    <section class="preview" aria-label={`About ${row.path}`}>
      <h2 title={row.path}>
        <Icon name={iconOf(row.type)} /> <Crumbs path={row.path} />
      </h2>
      <Facts row={row} />
      <Deeds key={`deeds ${row.path}`} image={image} row={row} />
      {!row.exists && <Note>Not in the final image: a later layer hides it.</Note>}
      {row.exists && row.hidden > 0 && layer !== undefined && row.type === "file" && (
        <Note>A later layer replaces this file. The content below is that of the final image.</Note>
      )}
      {row.exists && row.type === "file" && <Content key={row.path} image={image} row={row} />}
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
