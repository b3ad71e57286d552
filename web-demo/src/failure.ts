/** Titles of errors. */
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
  ambiguous: "The reference matches several images",
  corrupt: "Damaged or invalid",
  conflict: "Changed by another program",
  exists: "Already exists",
  io: "The browser could not read this",
  limit: "Too large to read safely",
  misuse: "Cannot be opened",
  notFound: "Not found",
  unsupported: "Not supported",
  unknown: "Something went wrong",
};

export function titleOf(failure: Failure): string {
  return TITLES[failure.kind];
}

/** Returns the title for a file that cannot be opened: it may not be an image at all. */
export function refusalOf(failure: Failure): string {
  return failure.kind === "corrupt" ? "Not a container image, or damaged" : titleOf(failure);
}
