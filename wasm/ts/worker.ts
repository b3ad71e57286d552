/** The worker in a browser. */

import type { Request, Start } from "./messages.js";
import type { Answer, Asked, Sync } from "./reader.js";
import { serve } from "./serve.js";
import { UNREADABLE } from "./unreadable.js";

/** Declared in TypeScript's library for workers, which conflicts with that for pages. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

const sync: Sync = {
  blob: (blob, start, end) => new Uint8Array(new FileReaderSync().readAsArrayBuffer(blob.slice(start, end))),
  url: (url, start, end) => {
    const headers = [["Range", `bytes=${start}-${end - 1}`]] as const;
    const { status, response } = ask({ method: "GET", url, headers });
    if (status !== 206) throw new Error(`${url}: the server answered ${status}, expected 206`);
    return new Uint8Array(response as ArrayBuffer);
  },
  urlSize: (url) => {
    const request = ask({ method: "HEAD", url, headers: [] });
    const { status } = request;
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${url}: the server answered ${status}`);
    const length = request.getResponseHeader("Content-Length");
    if (length === null) throw new Error(`${url}: the server sends no Content-Length`);
    return Number(length);
  },
  send: (asked): Answer => {
    const request = ask(asked);
    return {
      status: request.status,
      headers: request.getAllResponseHeaders(),
      body: new Uint8Array(request.response as ArrayBuffer),
    };
  },
  path: never,
  pathSize: never,
  held: never,
};

/**
 * Follows redirects by itself, since a page cannot see them. The only credential that is ever sent is an
 * anonymous token in the header Authorization, which browsers do not send on to another origin.
 */
function ask({ method, url, headers }: Asked): XMLHttpRequest {
  const request = new XMLHttpRequest();
  request.open(method, url, false);
  request.responseType = "arraybuffer";
  for (const [name, value] of headers) request.setRequestHeader(name, value);
  try {
    request.send();
  } catch (error) {
    throw new Error(UNREADABLE, { cause: error });
  }
  return request;
}

function never(): never {
  throw new Error("only available in Node");
}

let handle: ReturnType<typeof serve> | undefined;

onmessage = ({ data }: MessageEvent<Start | Request>): void => {
  if ("module" in data) handle = serve(data, sync, (reply, transfer) => postMessage(reply, { transfer }));
  else handle?.(data);
};
