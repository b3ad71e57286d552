/** The address: what `location.hash` says is shown. Links, the back button and reloads come for free. */
import { signal } from "@preact/signals";

export const VIEWS = ["files", "layers", "space", "waste", "config", "diff", "export"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  /** The name of the file that the link is about; none for the sample. */
  store?: string;
  /** What follows `#` in a reference. */
  image?: string;
  view: View;
  path: string;
  layer?: number;
  /** The image to compare with. */
  against?: string;
  /** The file that it is in, if that is another. */
  beside?: string;
}

export function parse(hash: string): Route {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const view = fields.get("view") as View;
  const path = fields.get("path") ?? "/";
  const layer = Number(fields.get("layer"));
  const route: Route = { view: VIEWS.includes(view) ? view : "files", path: path.startsWith("/") ? path : `/${path}` };
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
  // A path is easier to read with its slashes.
  return `#${present.map(([key, value]) => `${key}=${encodeURIComponent(value!).replaceAll("%2F", key === "path" ? "/" : "%2F")}`).join("&")}`;
}

export const route = signal(parse(location.hash));

/** A change of the address; `undefined` takes a part away. */
export type Step = { [K in keyof Route]?: Route[K] | undefined };

export function after(step: Step): Route {
  return { ...route.peek(), ...step } as Route;
}

/** Where a link leads. */
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
