import type { Call, Calls } from "./messages.js";
import type { Remote } from "./remote.js";
import type { RunOptions } from "./types.js";

interface Options extends RunOptions {
  /** About how many bytes will be read; 0 if unknown. */
  total: number;
}

/** A call that waits for a slot. */
interface Waiter {
  go(): void;
  stop(reason: unknown): void;
}

/**
 * Workers for long calls, each for one call at a time. Aborting a call ends its worker: nothing else stops a
 * loop in it.
 */
export class Pool {
  readonly #idle: Remote[] = [];
  readonly #queue: Waiter[] = [];
  readonly #busy = new Set<Remote>();
  /** Slots in use: one for each call that runs. */
  #slots = 0;
  #ended: { reason: unknown } | undefined;

  constructor(
    readonly spawn: () => Remote,
    readonly most: number,
  ) {}

  async run<C extends Call>(call: C, argument: Calls[C][0], options: Options): Promise<Calls[C][1]> {
    const { signal, onProgress, total } = options;
    signal?.throwIfAborted();
    await this.#slot(signal);
    let worker: Remote | undefined;
    const onAbort = (): void => worker?.end(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    try {
      signal?.throwIfAborted();
      if (this.#ended !== undefined) throw this.#ended.reason;
      worker = this.#idle.pop() ?? this.spawn();
      this.#busy.add(worker);
      let done = 0;
      const onRead = (bytes: number): void => {
        done += bytes;
        onProgress?.({ done: total > 0 ? Math.min(done, total) : done, total });
      };
      const value = await worker.call(call, argument, { onRead });
      if (total > 0) onProgress?.({ done: total, total });
      return value;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (worker !== undefined) this.#busy.delete(worker);
      if (worker?.ended === false) this.#idle.push(worker);
      this.#release();
    }
  }

  end(reason: unknown): void {
    this.#ended ??= { reason };
    for (const { stop } of this.#queue.splice(0)) stop(reason);
    for (const worker of [...this.#idle, ...this.#busy]) worker.end(reason);
    this.#idle.length = 0;
  }

  /** Waits for a slot. */
  #slot(signal: AbortSignal | undefined): Promise<void> {
    if (this.#slots < this.most) {
      this.#slots += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const done = (): void => signal?.removeEventListener("abort", onAbort);
      const waiter = {
        go: () => (done(), resolve()),
        stop: (reason: unknown) => (done(), reject(reason)),
      };
      const onAbort = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        waiter.stop(signal?.reason);
      };
      this.#queue.push(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Hands the slot to the next waiter. */
  #release(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#slots -= 1;
    else next.go();
  }
}
