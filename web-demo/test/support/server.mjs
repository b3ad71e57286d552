/** Serves the built page from a directory, and records the requests. */
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};
/** Not the root: the page must work in any directory. */
const BELOW = "/some/where/";

export async function serve() {
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    requests.push(pathname);
    const name = pathname.startsWith(BELOW)
      ? normalize(pathname.slice(BELOW.length)) || "index.html"
      : undefined;
    try {
      if (name === undefined || name.startsWith("..")) throw new Error("outside");
      const content = await readFile(join(DIST, name === "." ? "index.html" : name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? TYPES[".html"] }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}${BELOW}`,
    requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
