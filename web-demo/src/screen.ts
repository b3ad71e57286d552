/** The state of the screen that the command line depends on. */
import { computed, signal } from "@preact/signals";
import type { Dialect } from "ocicle";
import type { Screen } from "./command.ts";
import { filtersKinds, query, wasted } from "./files/query.ts";
import { contentLayer, pathKind } from "./files/selection.ts";
import { shown } from "./image.ts";

/** Whether a comparison ignores times. */
export const semantic = signal(true);
export const dialect = signal<Dialect>("native");

export const screen = computed<Screen>(() => ({
  path: shown.value?.image ? pathKind.value : "none",
  layer: contentLayer.value,
  name: query.value.name,
  wasted: wasted.value,
  kinds: filtersKinds.value,
  semantic: semantic.value,
  dialect: dialect.value,
}));
