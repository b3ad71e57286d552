/** Long calls are aborted by a signal, and by closing the store; other calls are not affected. */

import assert from "node:assert/strict";
import { openAsBlob, readFileSync } from "node:fs";
import { test } from "node:test";

import { done, fixture, open } from "./native.mjs";
import { serve } from "./server.mjs";

const REASON = new Error("no longer wanted");

const aborted = (promise) => assert.rejects(promise, (error) => error === REASON);

/** Starts a call, and aborts it at its first progress report. */
async function midway(begin) {
  const control = new AbortController();
  let steps = 0;
  await aborted(
    begin({
      signal: control.signal,
      onProgress: ({ done }) => {
        steps += 1;
        if (done > 0) control.abort(REASON);
      },
    }),
  );
  assert.ok(steps > 0);
}

const past = AbortSignal.abort(REASON);

const states = (image) => image.layers.map(({ state }) => state);

test("opening", async () => {
  for (const source of [
    fixture("debian"),
    fixture("odd.oci.tar"),
    readFileSync(fixture("odd.oci.tar")),
    new URL("http://localhost:1/a.tar"),
  ]) {
    await aborted(open(source, { signal: past }));
  }
  // While it is being read, which takes long for this many bytes.
  const docker = fixture("debian.docker.tar");
  for (const source of [docker, await openAsBlob(docker)]) {
    const control = new AbortController();
    const opening = open(source, { signal: control.signal });
    setTimeout(() => control.abort(REASON), 1);
    await aborted(opening);
  }
  // Afterwards, the signal does not affect the store.
  const control = new AbortController();
  const store = await open(docker, { signal: control.signal });
  control.abort(REASON);
  assert.equal((await store.list()).entries.length, 1);
  store.close();
});

test("a server that does not answer", async () => {
  const silent = await serve(
    { fixtures: fixture("") },
    { bad: (request) => request.url.includes("odd.oci") },
  );
  let later = false;
  const stuck = await serve({ fixtures: fixture("") }, { bad: () => later || ((later = true), false) });
  for (const { url, close } of [silent, stuck]) {
    const control = new AbortController();
    const opening = open(new URL("fixtures/odd.oci.tar", url), { signal: control.signal });
    setTimeout(() => control.abort(REASON), 200);
    await aborted(opening);
    await close();
  }
});

test("scan and verify", async () => {
  for (const what of ["scan", "verify"]) {
    const store = await open(fixture("debian"));
    const image = await store.image("debian");
    await aborted(image[what]({ signal: past }));
    await midway((options) => image[what](options));
    assert.deepEqual(states(image), ["waiting"]);
    // Other calls continue.
    assert.equal((await store.list()).entries.length, 2);
    await image[what]();
    assert.deepEqual(states(image), [what === "scan" ? "listed" : "verified"]);
    store.close();
  }
});

test("verifying alone, once the list is there", async () => {
  const store = await open(fixture("debian"));
  const image = await store.image("debian");
  await image.scan();
  await midway((options) => image.verify(options));
  assert.deepEqual(states(image), ["listed"]);
  await midway((options) => image.waste(options));
  await midway((options) => image.mtree("bsd", options));
  const zstd = await store.image("zstd");
  await midway((options) => store.diff(image, zstd, options));
  // The list can be used all the same, and a later call does the work.
  const listed = await image.files();
  assert.equal(
    `${JSON.stringify(await image.waste(), null, 2)}\n`,
    done(["waste", "--json", `${fixture("debian")}#debian`]).replace(": 1.0,", ": 1,"),
  );
  assert.deepEqual(await image.files(), listed);
  assert.deepEqual(states(image), ["verified"]);
  store.close();
});

test("one of two waiting calls is aborted", async () => {
  const store = await open(fixture("debian"));
  const image = await store.image("debian");
  const same = await store.image("debian");
  const control = new AbortController();
  let steps = 0;
  const stays = same.verify({ onProgress: () => (steps += 1) });
  const leaves = image.verify({ signal: control.signal, onProgress: () => control.abort(REASON) });
  await aborted(leaves);
  const before = steps;
  await stays;
  assert.ok(steps > before);
  assert.deepEqual(states(image), ["verified"]);
  store.close();
});

test("check and archive", async () => {
  const docker = fixture("debian.docker.tar");
  for (const source of [fixture("debian"), docker, await openAsBlob(docker)]) {
    const store = await open(source);
    for (const what of ["check", "archive"]) {
      await aborted(store[what]({ signal: past }));
      await midway((options) => store[what](options));
    }
    assert.deepEqual((await store.check()).findings, []);
    store.close();
  }
});

test("queued calls are aborted, too", async () => {
  const store = await open(fixture("debian"), { workers: 1 });
  const control = new AbortController();
  const first = store.check();
  const second = store.check({ signal: control.signal });
  const third = store.archive();
  control.abort(REASON);
  await aborted(second);
  assert.deepEqual((await first).findings, []);
  assert.ok((await third).size > 1e6);
  store.close();
});

async function closed(promises) {
  for (const result of await Promise.allSettled(promises)) {
    assert.equal(result.status, "rejected");
    assert.deepEqual([result.reason.name, result.reason.message], ["AbortError", "the store was closed"]);
  }
}

test("closing rejects pending and later calls", async () => {
  for (const workers of [1, 3]) {
    const store = await open(fixture("odd"), { workers });
    const image = await store.image("gnu");
    const pending = [
      store.list(),
      image.verify(),
      image.files(),
      image.waste(),
      store.check(),
      store.archive(),
      store.check(),
      store.image("odd"),
    ];
    store.close();
    const later = [
      store.list(),
      image.scan(),
      image.rows({}, 0, 1),
      store.check(),
      image.read("/etc/passwd"),
      store.memory(),
      image.close(),
    ];
    await closed([...pending, ...later]);
    store.close();
    assert.deepEqual(states(image), Array(4).fill("waiting"));
  }
});

test("closing ends busy workers and rejects waiting calls", async () => {
  for (const workers of [1, 3]) {
    const [store, another] = await Promise.all([open(fixture("debian"), { workers }), open(fixture("odd"))]);
    const [large, odd] = await Promise.all([store.image("debian"), another.image("odd")]);
    let isReading;
    const reading = new Promise((resolve) => (isReading = resolve));
    const pending = [
      large.verify({ onProgress: isReading }),
      store.check(),
      store.check(),
      store.archive(),
      store.diff(large, odd),
    ];
    await reading;
    store.close();
    await closed(pending);
    assert.deepEqual(states(large), ["waiting"]);
    another.close();
  }
});

test("closing one store leaves others alone", async () => {
  const [first, second] = await Promise.all([open(fixture("odd")), open(fixture("odd"))]);
  first.close();
  assert.equal((await second.list()).entries.length, 2);
  second.close();
});
