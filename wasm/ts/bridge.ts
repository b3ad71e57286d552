/**
 * Synchronous reads of blobs and servers in Node, which has only asynchronous ones: a worker asks the main
 * thread, and blocks until the answer arrives.
 */

import { receiveMessageOnPort, type MessagePort } from "node:worker_threads";

import type { Answer as Answered, Asked } from "./reader.js";

type Question =
  | { held: number; start: number; end: number }
  | { url: string; start: number; end: number }
  | { head: string }
  | Asked;

type Answer = { bytes: Uint8Array } | { size: number | undefined } | Answered | { error: string };

/** The main thread's side: answers a worker. */
export function answer(port: MessagePort, held: readonly Blob[]): void {
  port.on("message", ({ question, bell }: { question: Question; bell: Int32Array }) => {
    void found(question, held).then((answer) => {
      port.postMessage(answer);
      Atomics.store(bell, 0, 1);
      Atomics.notify(bell, 0);
    });
  });
  port.unref();
}

/** The worker's side: asks, and blocks until the answer arrives. */
export function ask(port: MessagePort, question: Question): Exclude<Answer, { error: string }> {
  const bell = new Int32Array(new SharedArrayBuffer(4));
  port.postMessage({ question, bell });
  Atomics.wait(bell, 0, 0);
  const answer = receiveMessageOnPort(port)?.message as Answer | undefined;
  if (answer === undefined) throw new Error("the main thread did not answer");
  if ("error" in answer) throw new Error(answer.error);
  return answer;
}

async function found(question: Question, held: readonly Blob[]): Promise<Answer> {
  try {
    if ("held" in question) {
      const { held: number, start, end } = question;
      const blob = held[number];
      return blob === undefined
        ? { error: "this blob is not open" }
        : { bytes: new Uint8Array(await blob.slice(start, end).arrayBuffer()) };
    }
    if ("head" in question) {
      const response = await fetch(question.head, { method: "HEAD" });
      if (response.status === 404) return { size: undefined };
      if (!response.ok) return { error: `${question.head}: the server answered ${response.status}` };
      const size = response.headers.get("Content-Length");
      if (size === null) return { error: `${question.head}: the server sends no Content-Length` };
      return { size: Number(size) };
    }
    if ("method" in question) return await answered(question);
    const { url, start, end } = question;
    const response = await fetch(url, { headers: { Range: `bytes=${start}-${end - 1}` } });
    const { status } = response;
    if (status !== 206) return { error: `${url}: the server answered ${status}, expected 206` };
    return { bytes: new Uint8Array(await response.arrayBuffer()) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** Redirects are returned: the wasm module decides which are followed, and what is sent along. */
async function answered({ method, url, headers }: Asked): Promise<Answered> {
  const response = await fetch(url, { method, headers: headers as [string, string][], redirect: "manual" });
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  const body = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: lines.join("\r\n"), body };
}

/** Returns the message of an error, and the reason why a connection failed. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error && cause.message !== "" ? `${message}: ${cause.message}` : message;
}
