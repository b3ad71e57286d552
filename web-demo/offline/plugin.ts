/** Writes the service worker with the list of built files. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Plugin } from "vite";

export function offline(): Plugin {
  let publicDir = "";
  return {
    name: "offline",
    apply: "build",
    configResolved(config) {
      publicDir = config.publicDir;
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const version = createHash("sha256");
        const add = (content: string | Uint8Array) => version.update(content);
        const built = Object.values(bundle).toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1));
        for (const file of built) add(file.type === "chunk" ? file.code : file.source);
        const kept = readdirSync(publicDir).sort();
        for (const name of kept) add(readFileSync(`${publicDir}/${name}`));
        const files = ["./", ...built.map((file) => file.fileName), ...kept];
        const source = readFileSync(new URL("./sw.js", import.meta.url), "utf8")
          .replace("__FILES__", JSON.stringify(files))
          .replace("__VERSION__", JSON.stringify(version.digest("hex").slice(0, 16)));
        this.emitFile({ type: "asset", fileName: "sw.js", source });
      },
    },
  };
}
