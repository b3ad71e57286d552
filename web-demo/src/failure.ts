/** Errors, for people. */
import { OcicleError, type ErrorKind } from "ocicle";

export interface Failure {
  kind: ErrorKind | "unknown";
  message: string;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof OcicleError) return { kind: error.kind, message: error.message };
  return { kind: "unknown", message: error instanceof Error ? error.message : String(error) };
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

const TITLES: Record<Failure["kind"], string> = {
  ambiguous: "This means several images",
  corrupt: "This is damaged",
  conflict: "Somebody else changed this",
  exists: "This is there already",
  io: "The browser could not read this",
  limit: "This is larger than is safe to read",
  misuse: "This cannot be opened",
  notFound: "Not found",
  unsupported: "This kind is not supported",
  unknown: "Something went wrong",
};

export function titleOf(failure: Failure): string {
  return TITLES[failure.kind];
}

/** Of a whole file, nobody knows whether it was meant to be an image. */
export function refusalOf(failure: Failure): string {
  return failure.kind === "corrupt" ? "This is no container image, or a damaged one" : titleOf(failure);
}
