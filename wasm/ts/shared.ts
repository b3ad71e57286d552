import type { Progress, RunOptions } from "./types.js";

type Work = (options: Required<RunOptions>) => Promise<void>;

interface Running {
  promise: Promise<void>;
  control: AbortController;
  progress: Set<(progress: Progress) => void>;
}

/**
 * Something that is done once, whoever asks for it. Each who asks can stop waiting; the work itself is stopped when nobody waits any more, and
 * begun anew when somebody asks again.
 */
export class Shared {
  readonly #work: Work;
  #running: Running | undefined;
  #waiting = 0;
  #done = false;

  constructor(work: Work) {
    this.#work = work;
  }

  get done(): boolean {
    return this.#done;
  }

  async run({ signal, onProgress }: RunOptions = {}): Promise<void> {
    if (this.#done) return;
    signal?.throwIfAborted();
    const running = (this.#running ??= this.#start());
    if (onProgress !== undefined) running.progress.add(onProgress);
    this.#waiting += 1;
    const settled = new AbortController();
    try {
      await (signal === undefined ? running.promise : Promise.race([running.promise, aborted(signal, settled.signal)]));
    } finally {
      settled.abort();
      this.#waiting -= 1;
      if (onProgress !== undefined) running.progress.delete(onProgress);
      if (this.#waiting === 0 && this.#running === running) {
        this.#running = undefined;
        running.control.abort(signal?.reason);
      }
    }
  }

  #start(): Running {
    const control = new AbortController();
    const progress = new Set<(progress: Progress) => void>();
    const onProgress = (step: Progress): void => progress.forEach((listener) => listener(step));
    const promise = this.#work({ signal: control.signal, onProgress }).then(() => {
      this.#done = true;
    });
    promise.catch(() => {}); // whoever still waits is told
    return { promise, control, progress };
  }
}

/** Rejects if a signal is aborted before something is settled. */
function aborted(signal: AbortSignal, settled: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { signal: settled }));
}
