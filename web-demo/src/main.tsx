import { render } from "preact";
import { App } from "./app.tsx";
import { listen } from "./drop.ts";
import { start } from "./session.ts";
import "./styles/all.css";

render(<App />, document.getElementById("app")!);
listen();
void start();

if (import.meta.env.PROD && "serviceWorker" in navigator) {
  // Without it, the page works, but not offline.
  navigator.serviceWorker.register("./sw.js").catch(() => {});
}
