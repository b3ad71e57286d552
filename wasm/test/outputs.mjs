/** Asks the package. Runs in pages, so it uses nothing of Node. */

import { named } from "./questions.mjs";
import { bytesOf, said } from "./said.mjs";

/** Returns the answers of a store, by question. An error is an answer, too. */
export async function outputs(open, source, questions) {
  const store = await open(source);
  try {
    const images = new Map();
    const image = async (fragment) => {
      if (!images.has(fragment)) images.set(fragment, await store.image(fragment));
      return images.get(fragment);
    };
    const found = {};
    for (const question of questions) {
      try {
        found[named(question)] = await said(question, await answer(store, image, question));
      } catch (error) {
        if (error.name !== "OcicleError") throw error;
        found[named(question)] = `error: ${error.message}\n`;
      }
    }
    return found;
  } finally {
    store.close();
  }
}

async function answer(store, imageOf, { ask, image: fragment, path, layer, dialect, other, semantic }) {
  switch (ask) {
    case "ls":
      return store.list();
    case "check":
      return store.check();
    case "archive":
      return bytesOf(await store.archive());
    case "resolve":
      return store.resolve(fragment);
  }
  const image = await imageOf(fragment);
  switch (ask) {
    case "stat":
      return image.stat();
    case "files":
      return image.files({ ...(path && { path }), ...(layer && { layer }) });
    case "waste":
      return image.waste();
    case "mtree":
      return image.mtree(dialect);
    case "why":
      return image.why(path);
    case "cat":
      return bytesOf(await image.read(path, layer ? { layer } : {}));
    case "diff":
      return store.diff(image, await imageOf(other), { ...(semantic && { semantic }) });
  }
  throw new Error(`unknown question: ${ask}`);
}
