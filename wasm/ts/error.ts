import type { ErrorKind } from "./types.js";

/** The errors of the package. */
export class OcicleError extends Error {
  override readonly name = "OcicleError";

  constructor(
    readonly kind: ErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An error as it crosses between threads. */
export interface PlainError {
  kind: ErrorKind;
  message: string;
}

/** Converts an error of the wasm module, which has a kind, or of the code that reads for it. */
export function plain(error: unknown): PlainError {
  if (error instanceof WebAssembly.RuntimeError) {
    return { kind: "misuse", message: `this is a bug in ocicle: ${error.message}` };
  }
  if (error instanceof Error) {
    const kind = "kind" in error ? (error.kind as ErrorKind) : "io";
    return { kind, message: error.message };
  }
  return { kind: "io", message: String(error) };
}

export function revived({ kind, message }: PlainError): OcicleError {
  return new OcicleError(kind, message);
}
