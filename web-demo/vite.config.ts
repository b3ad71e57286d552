import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";
import { offline } from "./offline/plugin.ts";

/** Removes the package's fetch of its module, which the policy forbids; the page has it in a script. */
function withoutFetched(): Plugin {
  return {
    name: "without-fetched",
    generateBundle(_options, bundle) {
      for (const name of Object.keys(bundle)) if (name.endsWith(".wasm")) delete bundle[name];
    },
  };
}

/** Inlines the icon: browsers would request it again and again. */
function icon(): Plugin {
  const svg = readFileSync(new URL("./public/icon.svg", import.meta.url), "utf8");
  const url = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  return {
    name: "icon",
    transformIndexHtml: { order: "pre", handler: (html) => html.replace("%ICON%", url) },
  };
}

/** Lets Vite connect to its server during development. */
function withoutPolicy(): Plugin {
  const policy = /<meta http-equiv="Content-Security-Policy"[^>]*>/;
  return { name: "without-policy", apply: "serve", transformIndexHtml: (html) => html.replace(policy, "") };
}

export default defineConfig({
  // Works from any directory of a server.
  base: "./",
  plugins: [icon(), withoutPolicy(), withoutFetched(), offline()],
  assetsInclude: ["**/*.tar", "**/*.wasm"],
  worker: { format: "es" },
  build: {
    rolldownOptions: { input: ["index.html", "remote.html"] },
    // Browsers with light-dark() and module workers.
    target: ["chrome123", "firefox128", "safari17.5"],
    // The polyfill uses fetch, which the policy forbids.
    modulePreload: { polyfill: false },
    // The wasm module is one large script on purpose.
    chunkSizeWarningLimit: 4096,
  },
});
