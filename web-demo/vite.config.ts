import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { offline } from "./offline/plugin.ts";

/** The package would fetch its module, which the policy forbids; ours is inside a script. */
function withoutFetched(): Plugin {
  return {
    name: "without-fetched",
    generateBundle(_options, bundle) {
      for (const name of Object.keys(bundle)) if (name.endsWith(".wasm")) delete bundle[name];
    },
  };
}

/** Inside the document: browsers ask for an icon with an address of its own again and again. */
function icon(): Plugin {
  const svg = readFileSync(new URL("./public/icon.svg", import.meta.url), "utf8");
  const url = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  return { name: "icon", transformIndexHtml: { order: "pre", handler: (html) => html.replace("%ICON%", url) } };
}

/** While developing, Vite talks to its server. */
function withoutPolicy(): Plugin {
  const policy = /<meta http-equiv="Content-Security-Policy"[^>]*>/;
  return { name: "without-policy", apply: "serve", transformIndexHtml: (html) => html.replace(policy, "") };
}

export default defineConfig({
  // Any directory of any server will do.
  base: "./",
  plugins: [icon(), withoutPolicy(), withoutFetched(), offline()],
  assetsInclude: ["**/*.tar", "**/*.wasm"],
  worker: { format: "es" },
  build: {
    // What knows light-dark() and module workers.
    target: ["chrome123", "firefox128", "safari17.5"],
    // The polyfill fetches, which the policy forbids.
    modulePreload: { polyfill: false },
    // The wasm module is one script, on purpose.
    chunkSizeWarningLimit: 4096,
  },
});
