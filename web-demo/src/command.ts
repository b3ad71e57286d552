/** The `ocicle` command that prints what is on the screen. */
import type { Dialect } from "ocicle";
import type { Route } from "./route.ts";

/** Quotes a word for a POSIX shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-][\w@%+=:,./#~-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function words(...all: (string | false | undefined)[]): string {
  return ["ocicle", ...all.filter((word) => typeof word === "string").map(quote)].join(" ");
}

/** Protects a name that starts with a dash. */
export function reference(store: string, image: string | undefined): string {
  const path = store.startsWith("-") ? `./${store}` : store;
  return image ? `${path}#${image}` : path;
}

/** The state of the screen that is not in the route. */
export interface Screen {
  /** The type of the path; `none` if no image is shown. */
  path: "file" | "dir" | "gone" | "none";
  search: string;
  wasted: boolean;
  semantic: boolean;
  dialect: Dialect;
}

export function commandFor(route: Route, store: string, screen: Screen): string {
  const image = reference(store, route.image);
  const path = route.path === "/" ? undefined : route.path;
  if (screen.path === "none") return words("ls", "--tree", image);
  switch (route.view) {
    case "files":
      if (path && screen.path === "file") return words("cat", image, path);
      if (path && screen.path === "gone") return words("why", image, path);
      if (screen.search) return words("find", image, "--name", `*${screen.search}*`);
      if (screen.wasted) return words("waste", image);
      return words("files", ...(route.layer ? ["--layer", String(route.layer)] : []), image, path);
    case "layers":
    case "config":
      return words("stat", image);
    case "space":
      return words("files", image, path);
    case "waste":
      return words("waste", image);
    case "diff":
      return words(
        "diff",
        screen.semantic && "--semantic",
        image,
        reference(route.beside ?? store, route.against ?? route.image),
      );
    case "export":
      return words("mtree", ...(screen.dialect === "native" ? [] : ["--dialect", screen.dialect]), image);
  }
}
