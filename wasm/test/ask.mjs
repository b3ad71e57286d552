/** Asks the native command. */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { native, scratch } from "./native.mjs";
import { named } from "./questions.mjs";
import { said } from "./said.mjs";

const kept = new Map();

/** Returns the command's answers about a store, by question; cached for the process. */
export function expected(store, questions) {
  const key = JSON.stringify([store, questions]);
  if (!kept.has(key)) kept.set(key, all(store, questions));
  return kept.get(key);
}

async function all(store, questions) {
  const found = {};
  for (const question of questions) found[named(question)] = await said(question, answer(store, question));
  return found;
}

function answer(store, question) {
  if (question.ask === "archive") return archive(store);
  const { code, stdout, stderr } = native(words(store, question));
  // Exit codes 4 and 5 report findings, if something was printed.
  return code === 0 || stdout.length > 0 ? stdout : new TextEncoder().encode(stderr);
}

/** Returns the bytes of `ocicle copy STORE oci-archive:FILE`. */
export function archive(store) {
  const file = join(scratch(), "copy.tar");
  try {
    const { code, stderr } = native(["copy", "--quiet", store, `oci-archive:${file}`]);
    return code === 0 ? readFileSync(file) : new TextEncoder().encode(stderr);
  } finally {
    rmSync(file, { force: true });
  }
}

function words(store, { ask, image, path, plain = path, layer, dialect, other, semantic }) {
  const at = (fragment) => (fragment === undefined ? store : `${store}#${fragment}`);
  switch (ask) {
    case "ls":
    case "check":
      return [ask, "--json", store];
    case "resolve":
    case "stat":
    case "waste":
      return [ask, "--json", at(image)];
    case "files":
      return [
        "files",
        "--json",
        ...(layer ? ["--layer", `${layer}`] : []),
        at(image),
        ...(plain ? [plain] : []),
      ];
    case "mtree":
      return ["mtree", "--dialect", dialect, at(image)];
    case "why":
      return ["why", "--json", at(image), plain];
    case "cat":
      return ["cat", ...(layer ? ["--layer", `${layer}`] : []), at(image), plain];
    case "diff":
      return ["diff", "--json", ...(semantic ? ["--semantic"] : []), at(image), at(other)];
  }
  throw new Error(`unknown question: ${ask}`);
}
