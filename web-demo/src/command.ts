/** The `ocicle` command that prints what is on the screen. */
import type { Dialect } from "ocicle";
import type { Route } from "./route.ts";
import { quote, quotePath } from "./shell.ts";

export interface Command {
  text: string;
  /** What it prints beyond the screen, if no command has all the filters. */
  more?: string;
}

/** The beginnings of a name that have a meaning of their own. */
const SPECIAL = /^(-|(oci|oci-archive|docker-archive):)/;

/** A reference to a registry: the repository, its tag, and its digest, which counts if there are both. */
const REGISTRY = /^(docker:\/\/[^@]*?)(?::[^/@]*)?(@.*)?$/;

/** Returns a reference to the file of this very name, or to what is at this address. */
export function reference(store: string, image: string | undefined): string {
  const [, repository, digest] = REGISTRY.exec(store) ?? [];
  if (repository && image) {
    const below = image.split("//").slice(1);
    return digest ? [repository + digest, ...below].join("//") : `${repository}:${image}`;
  }
  const path = SPECIAL.test(store) ? `./${store}` : store;
  // The last `#` begins the selector. A substitution of the shell loses a line end at its end.
  return image || /#|\n$/.test(path) ? `${path}#${image ?? ""}` : path;
}

/** The state of the screen that is not in the route. */
export interface Screen {
  /** The type of the path; `none` if no image is shown. */
  path: "file" | "dir" | "gone" | "none";
  /** The layer whose file is shown, if it is not that of the merged file system. */
  layer: number | undefined;
  /** The pattern for names. */
  name: string | undefined;
  wasted: boolean;
  /** Whether only some kinds of changes are shown. */
  kinds: boolean;
  semantic: boolean;
  dialect: Dialect;
}

export function commandFor(route: Route, store: string, screen: Screen): Command {
  const image = quote(reference(store, route.image));
  if (screen.path === "none") return command("ls", "--tree", image);
  const below = route.path === "/" ? [] : [quotePath(route.path)];
  switch (route.view) {
    case "files":
      return filesCommand(route, image, below, screen);
    case "layers":
    case "config":
      return command("stat", image);
    case "space":
      return command("files", image, ...below);
    case "waste":
      return command("waste", image);
    case "diff": {
      const other = quote(reference(route.beside ?? store, route.against ?? route.image));
      return command("diff", ...(screen.semantic ? ["--semantic"] : []), image, other);
    }
    case "export":
      return command("mtree", ...(screen.dialect === "native" ? [] : ["--dialect", screen.dialect]), image);
  }
}

function filesCommand({ layer }: Route, image: string, below: string[], screen: Screen): Command {
  const { path, name, wasted, kinds } = screen;
  const inLayer = (number: number | undefined) => (number ? ["--layer", String(number)] : []);
  if (below.length && path === "file") return command("cat", ...inLayer(screen.layer), image, ...below);
  if (below.length && path === "gone") return command("why", image, ...below);
  if (layer) {
    const all = command("files", ...inLayer(layer), image, ...below);
    return name || wasted || kinds ? { ...all, more: "all changes of the layer" } : all;
  }
  if (wasted) {
    const all = command("waste", image);
    return name ? { ...all, more: "all wasted files" } : all;
  }
  if (name) return command("find", image, ...named(name), "--ignore-case");
  return command("files", image, ...below);
}

/** A pattern that begins with a dash is not an option. */
function named(pattern: string): string[] {
  return pattern.startsWith("-") ? [`--name=${quote(pattern)}`] : ["--name", quote(pattern)];
}

function command(...words: string[]): Command {
  return { text: ["ocicle", ...words].join(" ") };
}
