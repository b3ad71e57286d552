/** The side of the main thread: a worker, and what it was asked for. */

import { OcicleError, revived } from "./error.js";
import type { Call, Calls, Reply, Request, Start } from "./messages.js";

/** A worker of this platform. */
export interface Port {
  post(message: Start | Request, transfer: Transferable[]): void;
  /** Is called with what the worker posts, and with what ended it. */
  listen(onReply: (reply: Reply) => void, onEnd: (message: string) => void): void;
  terminate(): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  onRead: ((bytes: number) => void) | undefined;
}

export class Remote {
  readonly #port: Port;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #ended: unknown;

  constructor(port: Port, start: Start) {
    this.#port = port;
    port.listen(
      (reply) => this.#take(reply),
      (message) => this.end(new OcicleError("io", `the worker ended: ${message}`)),
    );
    port.post(start, []);
  }

  call<C extends Call>(
    call: C,
    argument: Calls[C][0],
    options: { transfer?: Transferable[]; onRead?: (bytes: number) => void } = {},
  ): Promise<Calls[C][1]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      const id = this.#next++;
      const { onRead, transfer = [] } = options;
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, onRead });
      try {
        this.#port.post({ id, call, argument }, transfer);
      } catch (error) {
        // Something that cannot cross: the caller's value.
        this.#waiting.delete(id);
        reject(error);
      }
    });
  }

  /** Whether nothing is asked of it any more. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Ends the worker; what it was asked for is rejected with this. */
  end(reason: unknown): void {
    this.#ended ??= reason;
    this.#port.terminate();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    if ("read" in reply) return waiting.onRead?.(reply.read);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting.reject(revived(reply.error));
    else waiting.resolve(reply.value);
  }
}
