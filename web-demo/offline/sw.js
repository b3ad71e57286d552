/**
 * Serves the page from a cache, so that it works offline. The build replaces FILES with the list of files.
 */
const FILES = __FILES__;
const CACHE = `ocicle-${__VERSION__}`;
/** Their addresses. Requests for others, such as images on servers, are left to the browser. */
const OWN = new Set(FILES.map((file) => new URL(file, location).href));

self.addEventListener("install", (event) => {
  // "reload" bypasses the browser's own cache, which may have files of an earlier build.
  const requests = FILES.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const drop = async () => {
    const names = await caches.keys();
    await Promise.all(
      names.filter((name) => name.startsWith("ocicle-") && name !== CACHE).map((name) => caches.delete(name)),
    );
    await self.clients.claim();
  };
  event.waitUntil(drop());
});

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || !OWN.has(origin + pathname)) return;
  const options = { ignoreSearch: true, cacheName: CACHE };
  event.respondWith(caches.match(event.request, options).then((cached) => cached ?? fetch(event.request)));
});
