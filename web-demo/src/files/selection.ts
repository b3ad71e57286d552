/** The row at the path of the route. */
import { computed, effect, signal } from "@preact/signals";
import type { Row } from "ocicle";
import { failureOf, type Failure } from "../failure.ts";
import { revision, shown } from "../image.ts";
import { route } from "../route.ts";
import { rowAt } from "./locate.ts";

export type Selection = { path: string; row: Row } | { path: string; failure: Failure } | undefined;

export const selection = signal<Selection>(undefined);

const path = computed(() => route.value.path);
const layer = computed(() => route.value.layer);

effect(() => {
  const image = shown.value?.image;
  const wanted = path.value;
  const inLayer = layer.value;
  void revision.value;
  if (!image) {
    selection.value = undefined;
    return undefined;
  }
  let stale = false;
  rowAt(image, wanted, inLayer).then(
    (row) => {
      if (stale) return;
      const missing = { kind: "notFound", message: `No layer has ${wanted}.` } as const;
      selection.value = row ? { path: wanted, row } : { path: wanted, failure: missing };
    },
    (error: unknown) => {
      if (!stale) selection.value = { path: wanted, failure: failureOf(error) };
    },
  );
  return () => {
    stale = true;
  };
});

export const pathKind = computed<"file" | "dir" | "gone">(() => {
  const chosen = selection.value;
  if (!chosen || !("row" in chosen)) return "dir";
  if (!chosen.row.exists) return "gone";
  return chosen.row.type === "dir" ? "dir" : "file";
});

/** Returns the layer whose content a row has, if it is not that of the merged file system. */
export function layerOf({ change, exists, layer }: Row): number | undefined {
  if (change === undefined || change === "removed" || (change === "linked" && exists)) return undefined;
  return layer;
}

export const contentLayer = computed(() => {
  const chosen = selection.value;
  return chosen && "row" in chosen ? layerOf(chosen.row) : undefined;
});
