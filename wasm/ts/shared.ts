import type { Progress, RunOptions } from "./types.js";

type Work = (options: Required<RunOptions>) => Promise<void>;

interface Running {
  promise: Promise<void>;
  control: AbortController;
  progress: Set<(progress: Progress) => void>;
}

/**
 * Work that is done once, however many callers wait for it. Each caller can stop waiting; when the last one
 * does, the work is aborted, and started again by the next caller.
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
    const abort = signal && abortOf(signal);
    try {
      await (abort === undefined ? running.promise : Promise.race([running.promise, abort.promise]));
    } finally {
      abort?.forget();
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
    promise.catch(() => {}); // the callers that wait get the error
    return { promise, control, progress };
  }
}

/**
 * A promise that rejects when a signal is aborted, and a function that removes its listener. Not the option
 * `signal` of `addEventListener`: Node holds listeners weakly for it, and does not remove all of them.
 */
function abortOf(signal: AbortSignal): { promise: Promise<never>; forget: () => void } {
  let forget = (): void => {};
  const promise = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    forget = () => signal.removeEventListener("abort", onAbort);
  });
  return { promise, forget };
}
