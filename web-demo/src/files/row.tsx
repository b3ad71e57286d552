/** One row of the file tree. */
import type { Change, Row } from "ocicle";
import { permissions } from "../format.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { LayerChip } from "../ui/layer-chip.tsx";
import { Size } from "../ui/size.tsx";

const LETTERS: Record<Change, [letter: string, kind: string]> = {
  added: ["A", "added"],
  linked: ["A", "added"],
  replaced: ["M", "changed"],
  attributes: ["M", "changed"],
  removed: ["D", "removed"],
};

const WORDS: Record<Change, string> = {
  added: "added",
  linked: "linked to what was there",
  replaced: "content replaced",
  attributes: "only attributes changed",
  removed: "removed",
};

export function ChangeMark({ change }: { change: Change }) {
  const [letter, kind] = LETTERS[change];
  return (
    <abbr class={`mark mark-${kind}`} title={WORDS[change]}>
      {letter}
    </abbr>
  );
}

export function iconOf(type: Row["type"]): IconName {
  if (type === "dir" || type === "link") return type;
  return type === "file" ? "file" : "device";
}

interface Props {
  row: Row;
  index: number;
  active: boolean;
  chosen: boolean;
  top: number;
}

export function TreeRow({ row, index, active, chosen, top }: Props) {
  const isDirectory = row.type === "dir" && row.entries > 0;
  return (
    <div
      role="row"
      id={`row-${index}`}
      data-index={index}
      class={`row${active ? " active" : ""}${chosen ? " chosen" : ""}${row.exists ? "" : " gone"}`}
      style={{ top: `${top}px`, "--depth": String(row.depth) }}
      aria-level={row.depth + 1}
      aria-expanded={isDirectory ? row.open : undefined}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-rowindex={index + 2}
      aria-selected={chosen}
    >
      <div
        role="gridcell"
        class="name"
        title={row.target === undefined ? row.path : `${row.path} → ${row.target}`}
      >
        <span class={isDirectory ? `twisty${row.open ? " open" : ""}` : "twisty none"} aria-hidden="true">
          <Icon name="open" />
        </span>
        <Icon name={iconOf(row.type)} />
        {row.change && <ChangeMark change={row.change} />}
        <span class="text">{row.name}</span>
        {row.target !== undefined && <span class="target">→ {row.target}</span>}
      </div>
      <div role="gridcell" class="right">
        <Size bytes={row.size} />
      </div>
      <div role="gridcell" class="right wasted">
        <Size bytes={row.hidden} quiet />
      </div>
      <div role="gridcell" class="layer">
        <LayerChip layer={row.layer} />
      </div>
      <div role="gridcell" class="mode" title={row.mode && `${row.mode}, owner ${row.uid}:${row.gid}`}>
        {permissions(row.mode, row.type)}
      </div>
    </div>
  );
}
