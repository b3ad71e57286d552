/** A server in front of a registry, which shows what servers do to the package. */

import { serve } from "./server.mjs";

/**
 * Passes requests on to this host, until a test ends. `bad` may answer a request itself, and returns `true`
 * then; `change` can change the headers of other answers. All requests are in `requests`.
 */
export async function inFrontOf(test, host, { bad = () => false, change = () => {} } = {}) {
  const requests = [];
  const pass = async (request, response) => {
    const { host: _, connection: __, ...headers } = request.headers;
    const url = `http://${host}${request.url}`;
    const answer = await fetch(url, { method: request.method, headers, redirect: "manual" });
    const changed = new Headers(answer.headers);
    change(changed);
    response.writeHead(answer.status, Object.fromEntries(changed));
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
  const server = await serve({}, {
    bad: (request, response) => {
      requests.push(request);
      if (!bad(request, response)) void pass(request, response);
      return true;
    },
  });
  test.after(server.close);
  return { url: server.url, requests, host: new URL(server.url).host };
}

/**
 * Starts a server in front of the registry that wants tokens. It sends blobs of `public/nested` elsewhere: to
 * the same blobs in the repository `nested` of a registry that wants none.
 */
export async function elsewhere(test, registry, open, options = {}) {
  const away = await inFrontOf(test, open, options);
  const front = await inFrontOf(test, registry, {
    ...options,
    bad: (request, response) => {
      if (options.bad?.(request, response)) return true;
      const [, path] = /^\/v2\/public(\/nested\/blobs\/.*)/.exec(request.url) ?? [];
      if (path === undefined) return false;
      const headers = { Location: new URL(`v2${path}`, away.url).href, "Access-Control-Allow-Origin": "*" };
      response.writeHead(307, headers).end();
      return true;
    },
  });
  /** The values of Authorization that a server got with requests for blobs. */
  const sent = ({ requests }) =>
    requests
      .filter(({ method, url }) => method === "GET" && url.includes("/blobs/"))
      .map(({ headers }) => headers.authorization);
  return { host: front.host, here: () => sent(front), there: () => sent(away) };
}
