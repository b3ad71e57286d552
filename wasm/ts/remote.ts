/** The main thread's side: a worker and its pending calls. */

import { OcicleError, revived } from "./error.js";
import type { Call, Calls, Reply, Request, Start } from "./messages.js";

/** A worker of the platform. */
export interface Port {
  post(message: Start | Request, transfer: Transferable[]): void;
  /** Sets the functions that are called with each reply, and when an error ends the worker. */
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
        // The argument has a value that cannot be sent.
        this.#waiting.delete(id);
        reject(error);
      }
    });
  }

  /** Whether the worker was ended. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Ends the worker; pending calls reject with this reason. */
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
