/**
 * A gigabyte, in Node and in a page: it is never in memory at once. Runs in pages, so it uses nothing of
 * Node.
 */

/** Opens, scans and verifies an image; returns the memory used, and errors in the progress reports. */
export async function large(open, source, fragment) {
  const begin = performance.now();
  const store = await open(source);
  const image = await store.image(fragment);
  const seconds = { open: (performance.now() - begin) / 1000 };
  const faults = [];
  const run = async (what) => {
    const start = performance.now();
    let [steps, last] = [0, { done: 0, total: 0 }];
    await image[what]({
      onProgress: (step) => {
        if (step.done < last.done) faults.push(`${what}: ${step.done} after ${last.done}`);
        if (steps > 0 && step.total !== last.total)
          faults.push(`${what}: of ${step.total}, then of ${last.total}`);
        [steps, last] = [steps + 1, step];
      },
    });
    if (steps < 5) faults.push(`${what}: only ${steps} reports`);
    if (last.done !== last.total || last.total === 0)
      faults.push(`${what}: ended at ${last.done} of ${last.total}`);
    seconds[what] = (performance.now() - start) / 1000;
  };
  await run("scan");
  const listed = image.layers.map(({ state }) => state);
  const { total } = await image.rows({}, 0, 10);
  await run("verify");
  const verified = image.layers.map(({ state }) => state);
  const waste = await image.waste();
  const memory = await store.memory();
  store.close();
  return { seconds, faults, listed, verified, rows: total, waste, memory };
}

/** The memory limit of a store's worker, whatever the size of the image. */
export const MOST_MEMORY = 200 << 20;

export function told({ seconds, memory }) {
  const times = Object.entries(seconds).map(([what, time]) => `${what} ${time.toFixed(2)} s`);
  return `${times.join(", ")}; ${memory} bytes of memory`;
}
