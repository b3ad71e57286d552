/** A worker of a browser. */

import type { Request, Start } from "./messages.js";
import type { Sync } from "./reader.js";
import { serve } from "./serve.js";

/** Of the workers' own library, which cannot be there beside that of pages. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

const sync: Sync = {
  blob: (blob, start, end) => new Uint8Array(new FileReaderSync().readAsArrayBuffer(blob.slice(start, end))),
  url: (url, start, end) => {
    const request = ask("GET", url, [start, end]);
    if (request.status !== 206) throw new Error(`${url}: the server says ${request.status}, expected 206`);
    return new Uint8Array(request.response as ArrayBuffer);
  },
  urlSize: (url) => {
    const { status, ...request } = ask("HEAD", url);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`${url}: the server says ${status}`);
    if (request.length === null) throw new Error(`${url}: the server does not say how large it is (Content-Length)`);
    return Number(request.length);
  },
  path: never,
  pathSize: never,
  held: never,
};

function ask(method: string, url: string, range?: [number, number]): { status: number; response: unknown; length: string | null } {
  const request = new XMLHttpRequest();
  request.open(method, url, false);
  request.responseType = "arraybuffer";
  if (range !== undefined) request.setRequestHeader("Range", `bytes=${range[0]}-${range[1] - 1}`);
  request.send();
  return { status: request.status, response: request.response, length: request.getResponseHeader("Content-Length") };
}

function never(): never {
  throw new Error("only Node has that");
}

let handle: ReturnType<typeof serve> | undefined;

onmessage = ({ data }: MessageEvent<Start | Request>): void => {
  if ("module" in data) handle = serve(data, sync, (reply, transfer) => postMessage(reply, { transfer }));
  else handle?.(data);
};
