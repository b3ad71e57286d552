/** The route in `location.hash`, so links, the back button and reloads work. */
import { signal } from "@preact/signals";

export const VIEWS = ["files", "layers", "space", "waste", "config", "diff", "export"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  /** The name of the opened file; `undefined` for the sample. */
  store?: string;
  /** The selector: the part of a reference after `#`. */
  image?: string;
  view: View;
  path: string;
  layer?: number;
  /** The image to compare with. */
  against?: string;
  /** The name of the file that has it, if it is another. */
  beside?: string;
}

export function parse(hash: string): Route {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const view = fields.get("view") as View;
  const path = fields.get("path") ?? "/";
  const layer = Number(fields.get("layer"));
  const route: Route = {
    view: VIEWS.includes(view) ? view : "files",
    path: path.startsWith("/") ? path : `/${path}`,
  };
  for (const key of ["store", "image", "against", "beside"] as const) {
    const value = fields.get(key);
    if (value) route[key] = value;
  }
  if (Number.isInteger(layer) && layer > 0) route.layer = layer;
  return route;
}

export function format(route: Route): string {
  const fields: [string, string | number | undefined][] = [
    ["store", route.store],
    ["image", route.image],
    ["path", route.path === "/" ? undefined : route.path],
    ["layer", route.layer],
    ["against", route.against],
    ["beside", route.beside],
    ["view", route.view],
  ];
  const present = fields.filter(([, value]) => value !== undefined);
  const part = ([key, value = ""]: (typeof present)[number]) => {
    const encoded = encodeURIComponent(value);
    // Slashes stay, so that paths are readable.
    return `${key}=${key === "path" ? encoded.replaceAll("%2F", "/") : encoded}`;
  };
  return `#${present.map(part).join("&")}`;
}

export const route = signal(parse(location.hash));

/** A change of the route; `undefined` removes a part. */
export type Step = { [K in keyof Route]?: Route[K] | undefined };

export function after(step: Step): Route {
  return { ...route.peek(), ...step } as Route;
}

/** Returns the address of a link. */
export function href(step: Step): string {
  return format({ ...route.value, ...step } as Route);
}

export function go(step: Step, how: "push" | "replace" = "push"): void {
  const hash = format(after(step));
  if (hash === location.hash) return;
  if (how === "push") history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  route.value = parse(hash);
}

const follow = () => {
  route.value = parse(location.hash);
};
addEventListener("popstate", follow);
addEventListener("hashchange", follow);
