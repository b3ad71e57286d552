import type { Call, Calls } from "./messages.js";
import type { Remote } from "./remote.js";
import type { RunOptions } from "./types.js";

interface Options extends RunOptions {
  /** Bytes that will be read, about; 0 if nobody knows. */
  total: number;
}

/** Somebody who waits for it. */
interface Turn {
  go(): void;
  stop(reason: unknown): void;
}

/** Workers for what takes long, each for one thing at a time. Aborting ends the worker: nothing else stops a loop in it. */
export class Pool {
  readonly #idle: Remote[] = [];
  readonly #queue: Turn[] = [];
  readonly #busy = new Set<Remote>();
  /** Turns that were given and not given back. */
  #turns = 0;
  #ended: { reason: unknown } | undefined;

  constructor(
    readonly spawn: () => Remote,
    readonly most: number,
  ) {}

  async run<C extends Call>(call: C, argument: Calls[C][0], options: Options): Promise<Calls[C][1]> {
    const { signal, onProgress, total } = options;
    signal?.throwIfAborted();
    await this.#turn(signal);
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
      this.#giveBack();
    }
  }

  end(reason: unknown): void {
    this.#ended ??= { reason };
    for (const { stop } of this.#queue.splice(0)) stop(reason);
    for (const worker of [...this.#idle, ...this.#busy]) worker.end(reason);
    this.#idle.length = 0;
  }

  /** Waits until a worker is free, or one more may be started. */
  #turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#turns < this.most) {
      this.#turns += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const done = (): void => signal?.removeEventListener("abort", onAbort);
      const turn = {
        go: () => (done(), resolve()),
        stop: (reason: unknown) => (done(), reject(reason)),
      };
      const onAbort = (): void => {
        this.#queue.splice(this.#queue.indexOf(turn), 1);
        turn.stop(signal?.reason);
      };
      this.#queue.push(turn);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** To the next who waits, if somebody does. */
  #giveBack(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#turns -= 1;
    else next.go();
  }
}
