/** Runs in the page of `browser.test.mjs`. */

import * as ocicle from "/npm/dist/index.js";
import { large } from "./large.mjs";
import { outputs } from "./outputs.mjs";

const chosen = (id) => document.getElementById(id).files;

const bytesAt = async (url) => (await fetch(url)).arrayBuffer();

/** Copies a layout to the origin's private file system; `name` is its name on the server. */
async function stored(name, paths) {
  const root = await navigator.storage.getDirectory();
  const directory = await root.getDirectoryHandle(name, { create: true });
  for (const path of paths) {
    const parts = path.split("/");
    let at = directory;
    for (const part of parts.slice(0, -1)) at = await at.getDirectoryHandle(part, { create: true });
    const file = await (await at.getFileHandle(parts.at(-1), { create: true })).createWritable();
    await file.write(await bytesAt(`/fixtures/${name}/${path}`));
    await file.close();
  }
  return directory;
}

/** Opens a path of the server, or the files of an input, as each kind of source. */
const sources = {
  directory: () => chosen("directory"),
  file: () => chosen("file")[0],
  files: () => chosen("file"),
  dropped: () => window.dropped,
  buffer: ({ name }) => bytesAt(`/fixtures/${name}`),
  bytes: async ({ name }) => new Uint8Array(await bytesAt(`/fixtures/${name}`)),
  registry: ({ name }) => name,
  server: ({ name }) => new URL(`/fixtures/${name}`, location.href),
  map: async ({ name, paths }) =>
    new Map(
      await Promise.all(
        paths.map(async (path) => [path, new Blob([await bytesAt(`/fixtures/${name}/${path}`)])]),
      ),
    ),
  handle: ({ name, paths }) => stored(name, paths),
  "handle of a file": async ({ name }) => {
    const file = await (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });
    const writable = await file.createWritable();
    await writable.write(await bytesAt(`/fixtures/${name}`));
    await writable.close();
    return file;
  },
};

document.getElementById("drop").addEventListener("dragover", (event) => event.preventDefault());
document.getElementById("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  window.dropped = ocicle.fromDataTransfer(event.dataTransfer);
});

window.page = {
  ocicle,
  source: async (way, thing) => sources[way](thing),
  outputs: async (way, thing, questions) => outputs(ocicle.open, await sources[way](thing), questions),
  large: async (way, thing, fragment) => large(ocicle.open, await sources[way](thing), fragment),
  /** Returns the result of a promise as a value that can be sent from the page. */
  outcome: (promise) =>
    promise.then(
      () => "done",
      ({ name, kind, message }) => ({ name, kind, message }),
    ),
};
