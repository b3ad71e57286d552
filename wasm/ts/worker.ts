/** The worker in a browser. */

import type { Request, Start } from "./messages.js";
import type { Sync } from "./reader.js";
import { serve } from "./serve.js";

/** Declared in TypeScript's library for workers, which conflicts with that for pages. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

const sync: Sync = {
  blob: (blob, start, end) => new Uint8Array(new FileReaderSync().readAsArrayBuffer(blob.slice(start, end))),
  url: (url, start, end) => {
    const request = ask("GET", url, [start, end]);
    const { status, response } = request;
    if (status !== 206) throw new Error(`${url}: the server answered ${status}, expected 206`);
    return new Uint8Array(response as ArrayBuffer);
  },
  urlSize: (url) => {
    const { status, ...request } = ask("HEAD", url);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${url}: the server answered ${status}`);
    if (request.length === null) throw new Error(`${url}: the server sends no Content-Length`);
    return Number(request.length);
  },
  path: never,
  pathSize: never,
  held: never,
};

interface Answer {
  status: number;
  response: unknown;
  /** The header Content-Length. */
  length: string | null;
}

function ask(method: string, url: string, range?: [number, number]): Answer {
  const request = new XMLHttpRequest();
  request.open(method, url, false);
  request.responseType = "arraybuffer";
  if (range !== undefined) request.setRequestHeader("Range", `bytes=${range[0]}-${range[1] - 1}`);
  request.send();
  const length = request.getResponseHeader("Content-Length");
  return { status: request.status, response: request.response, length };
}

function never(): never {
  throw new Error("only available in Node");
}

let handle: ReturnType<typeof serve> | undefined;

onmessage = ({ data }: MessageEvent<Start | Request>): void => {
  if ("module" in data) handle = serve(data, sync, (reply, transfer) => postMessage(reply, { transfer }));
  else handle?.(data);
};
