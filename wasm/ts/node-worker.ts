/** The worker in Node. */

import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { parentPort, type MessagePort } from "node:worker_threads";

import { ask } from "./bridge.js";
import type { Request, Start } from "./messages.js";
import type { Answer, Sync } from "./reader.js";
import { serve } from "./serve.js";

function syncOver(bridge: MessagePort): Sync {
  const bytes = (question: Parameters<typeof ask>[1]): Uint8Array =>
    (ask(bridge, question) as { bytes: Uint8Array }).bytes;
  return {
    blob: () => {
      throw new Error("a blob cannot be sent to a worker in Node");
    },
    held: (held, start, end) => bytes({ held, start, end }),
    url: (url, start, end) => bytes({ url, start, end }),
    send: (asked) => ask(bridge, asked) as Answer,
    urlSize: (head) => (ask(bridge, { head }) as { size: number | undefined }).size,
    path: (path, start, end) => {
      const file = openSync(path, "r");
      try {
        const into = new Uint8Array(end - start);
        return into.subarray(0, readSync(file, into, 0, into.byteLength, start));
      } finally {
        closeSync(file);
      }
    },
    pathSize: (directory, path) => {
      const file = join(directory, path);
      const found = statSync(file, { throwIfNoEntry: false });
      if (!found?.isFile()) return undefined;
      // What a layout contains must not decide which other files are read.
      const inside = relative(realpathSync(directory), realpathSync(file));
      if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
        throw new Error(`refusing to follow ${path}: a symbolic link leads out of the layout`);
      }
      return found.size;
    },
  };
}

let handle: ReturnType<typeof serve> | undefined;

parentPort?.on("message", (message: Start | Request) => {
  if ("module" in message) {
    handle = serve(message, syncOver(message.bridge as MessagePort), (reply, transfer) =>
      parentPort?.postMessage(reply, transfer as ArrayBuffer[]),
    );
  } else handle?.(message);
});
