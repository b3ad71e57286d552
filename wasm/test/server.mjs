/** A static file server, which can be made to fail. */

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/**
 * Serves each of these directories or texts below its name. `bad` may answer a request itself, and returns
 * `true` then. Requests are recorded in `asked`.
 */
export async function serve(places, { bad = () => false } = {}) {
  const asked = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    asked.push(`${request.method} ${path} ${request.headers.range ?? ""}`.trim());
    if (bad(request, response)) return;
    give(request, response, found(places, path));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    asked,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Returns a file or a text. */
function found(places, path) {
  for (const [name, place] of Object.entries(places)) {
    if (path === `/${name}` && typeof place !== "string") return { type: place.type, text: place.text };
    if (typeof place !== "string" || !path.startsWith(`/${name}`)) continue;
    const file = join(place, normalize(path.slice(name.length + 1)));
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile())
      return { type: TYPES[extname(file)] ?? "application/octet-stream", file, size: stat.size };
  }
  return undefined;
}

function give(request, response, thing) {
  if (thing === undefined) {
    response.writeHead(404).end();
    return;
  }
  const { type, text, file } = thing;
  const size = file === undefined ? Buffer.byteLength(text) : thing.size;
  const headers = { "Content-Type": type, "Accept-Ranges": "bytes" };
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (first === undefined) {
    response.writeHead(200, { ...headers, "Content-Length": size });
    if (request.method === "HEAD") response.end();
    else if (file === undefined) response.end(text);
    else createReadStream(file).pipe(response);
    return;
  }
  const [start, end] = [Number(first), Math.min(last === "" ? size : Number(last) + 1, size)];
  if (start >= size) {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return;
  }
  response.writeHead(206, {
    ...headers,
    "Content-Length": end - start,
    "Content-Range": `bytes ${start}-${end - 1}/${size}`,
  });
  createReadStream(file, { start, end: end - 1 }).pipe(response);
}
