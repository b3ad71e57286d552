/** Finds rows by path. */
import { OcicleError, type Image, type Row, type RowQuery } from "ocicle";
import { above } from "./query.ts";

async function rowOf(image: Image, query: RowQuery, path: string): Promise<Row | undefined> {
  const index = await image.position(query, path);
  return index === undefined ? undefined : (await image.rows(query, index, 1)).rows[0];
}

/** Returns the row of a path: in one layer, in the merged file system, or in the last layer that has it. */
export async function rowAt(image: Image, path: string, layer: number | undefined): Promise<Row | undefined> {
  const open = above(path);
  const inLayer = layer === undefined ? undefined : await rowOf(image, { layer, open }, path);
  const visible = inLayer ?? (await rowOf(image, { open }, path));
  if (visible) return visible;
  const last = await lastLayer(image, path);
  return last === undefined ? undefined : rowOf(image, { layer: last, open }, path);
}

async function lastLayer(image: Image, path: string): Promise<number | undefined> {
  try {
    const { deeds } = await image.why(path);
    return deeds.findLast(({ what }) => what !== "removed")?.layer;
  } catch (error) {
    if (error instanceof OcicleError && error.kind === "notFound") return undefined;
    throw error;
  }
}

export function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Returns the path that a symbolic link in a directory refers to; links in the target are not followed. */
export function resolved(target: string, directory: string): string {
  const names = target.startsWith("/") ? [] : directory.split("/").filter(Boolean);
  for (const name of target.split("/")) {
    if (name === "..") names.pop();
    else if (name && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}
