/** The filters of the tree: search, layer, kinds of changes, order. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Layer } from "ocicle";
import { command } from "../format.ts";
import { layers } from "../image.ts";
import { go, route } from "../route.ts";
import { opened } from "../session.ts";
import { Choice } from "../ui/choice.tsx";
import { kinds, KINDS, search, sort, wasted, type Kind } from "./query.ts";

const LETTERS: Record<Kind, string> = { added: "A", changed: "M", removed: "D" };
const ORDERS = [
  { value: "name", label: "By name" },
  { value: "size", label: "By size" },
] as const;

export function Toolbar() {
  return (
    <div class="toolbar" role="search" aria-label="Filter files">
      <Search />
      <LayerSelect />
      {route.value.layer !== undefined && <Kinds />}
      <label class="toggle">
        <input
          type="checkbox"
          checked={wasted.value}
          onChange={(event) => (wasted.value = event.currentTarget.checked)}
        />
        <span>Wasted only</span>
      </label>
      <Choice legend="Order" options={ORDERS} value={sort.value} onChange={(order) => (sort.value = order)} />
    </div>
  );
}

/** Searches shortly after the last key; `/` focuses it from anywhere. */
function Search() {
  const [text, setText] = useState(search.value);
  const input = useRef<HTMLInputElement>(null);
  /** What the search was last set to from here; more may have been typed since. */
  const sent = useRef(search.value);
  useEffect(() => {
    if (search.value !== sent.current) setText(search.value);
    sent.current = search.value;
  }, [search.value]);
  // Drops what was typed just before another file was opened.
  useEffect(() => setText(search.value), [opened.value]);
  useEffect(() => {
    const timer = setTimeout(() => {
      sent.current = text;
      search.value = text;
    }, 150);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as Element).matches("input:not([type=radio], [type=checkbox]), select, textarea"))
        return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  return (
    <input
      ref={input}
      type="search"
      value={text}
      placeholder="Search names  /"
      title="* and ? stand for other characters"
      aria-label="Search names"
      aria-keyshortcuts="/"
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}

function nameOf(layer: Layer): string {
  const made = command(layer.createdBy);
  return made.length > 40 ? `${made.slice(0, 39)}…` : made;
}

function LayerSelect() {
  return (
    <select
      aria-label="Layer"
      value={route.value.layer ?? ""}
      onChange={(event) => go({ layer: Number(event.currentTarget.value) || undefined })}
    >
      <option value="">All layers, merged</option>
      {layers.value.map((layer) => (
        <option key={layer.layer} value={layer.layer}>
          Layer {layer.layer} {nameOf(layer)}
        </option>
      ))}
    </select>
  );
}

function Kinds() {
  const turn = (kind: Kind, on: boolean) => {
    const next = new Set(kinds.value);
    if (on) next.add(kind);
    else next.delete(kind);
    kinds.value = next;
  };
  return (
    <fieldset class="kinds">
      <legend class="hidden">Changes</legend>
      {(Object.keys(KINDS) as Kind[]).map((kind) => (
        <label key={kind} class="toggle">
          <input
            type="checkbox"
            checked={kinds.value.has(kind)}
            onChange={(event) => turn(kind, event.currentTarget.checked)}
          />
          <span>
            <span class={`mark mark-${kind}`} aria-hidden="true">
              {LETTERS[kind]}
            </span>{" "}
            {kind}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
