/** The query of the file tree: the settings of the toolbar, and the open directories. */
import { computed, effect, signal } from "@preact/signals";
import type { Change, RowQuery } from "ocicle";
import { shown } from "../image.ts";
import { route } from "../route.ts";
import { opened } from "../session.ts";
import { patternOf } from "./pattern.ts";

/** The kinds of changes, in three groups that can be shown or hidden. */
export const KINDS = {
  added: ["added", "linked"],
  changed: ["replaced", "attributes"],
  removed: ["removed"],
} as const satisfies Record<string, readonly Change[]>;
export type Kind = keyof typeof KINDS;
const ALL_KINDS = Object.keys(KINDS) as Kind[];

export const search = signal("");
export const sort = signal<"name" | "size">("name");
export const kinds = signal<ReadonlySet<Kind>>(new Set(ALL_KINDS));
export const wasted = signal(false);
const open = signal<ReadonlySet<string>>(new Set());
const closed = signal<ReadonlySet<string>>(new Set());

const layer = computed(() => route.value.layer);
/** Whether only some kinds of changes are shown. */
export const filtersKinds = computed(() => layer.value !== undefined && kinds.value.size < ALL_KINDS.length);
/** Whether directories are open unless they were closed. */
const opensAll = computed(() => search.value !== "" || wasted.value || filtersKinds.value);

export const query = computed<RowQuery>(() => {
  const asked: RowQuery = { sort: sort.value };
  if (layer.value !== undefined) asked.layer = layer.value;
  if (filtersKinds.value) asked.changes = [...kinds.value].flatMap((kind) => KINDS[kind]);
  if (wasted.value) asked.wasted = true;
  if (search.value) asked.name = patternOf(search.value);
  if (opensAll.value) asked.closed = [...closed.value];
  else asked.open = [...open.value];
  return asked;
});

export function toggle(path: string, isOpen: boolean): void {
  const [set, put] = opensAll.value ? ([closed, isOpen] as const) : ([open, !isOpen] as const);
  const next = new Set(set.value);
  if (put) next.add(path);
  else next.delete(path);
  set.value = next;
}

/** Returns the directories above a path, except the root. */
export function above(path: string): string[] {
  const names = path.split("/").slice(1, -1);
  return names.map((_, at) => `/${names.slice(0, at + 1).join("/")}`);
}

/** Opens the directories above a path. */
export function openTo(path: string): void {
  const way = above(path);
  if (opensAll.peek()) {
    if (way.some((step) => closed.peek().has(step)))
      closed.value = new Set([...closed.peek()].filter((step) => !way.includes(step)));
  } else if (way.some((step) => !open.peek().has(step))) open.value = new Set([...open.peek(), ...way]);
}

export function clearFilters(): void {
  search.value = "";
  wasted.value = false;
  kinds.value = new Set(ALL_KINDS);
}

// Another file is looked at with other questions.
effect(() => {
  void opened.value;
  clearFilters();
});

// Another image has other directories.
effect(() => {
  void shown.value?.image;
  open.value = new Set();
  closed.value = new Set();
});
