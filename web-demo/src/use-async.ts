/** The result of a promise, for a component. */
import { useEffect, useState } from "preact/hooks";
import { failureOf, isAbort, type Failure } from "./failure.ts";

export type Async<T> =
  { state: "waiting" } | { state: "done"; value: T } | { state: "failed"; failure: Failure };

/** Aborts and starts again when one of `inputs` changes. */
export function useAsync<T>(
  start: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[],
): Async<T> {
  const [result, setResult] = useState<Async<T>>({ state: "waiting" });
  useEffect(() => {
    const controller = new AbortController();
    setResult({ state: "waiting" });
    start(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setResult({ state: "done", value });
      },
      (error: unknown) => {
        if (!controller.signal.aborted && !isAbort(error))
          setResult({ state: "failed", failure: failureOf(error) });
      },
    );
    return () => controller.abort();
  }, inputs);
  return result;
}
