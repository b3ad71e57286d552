/** Checks of arguments, for callers without types: a wrong one is an {@link OcicleError}, not a surprise. */

import { OcicleError } from "./error.js";

/** Throws if the argument or option of this name is wrong. */
export type Check = (value: unknown, name: string) => void;

/** The checks of an object's options. */
type Options = Readonly<Record<string, Check>>;

export function expected(what: string, fits: (value: unknown) => boolean): Check {
  return (value, name) => {
    if (!fits(value)) throw new OcicleError("misuse", `${name}: expected ${what}, found ${shown(value)}`);
  };
}

/** The largest number that the wasm module takes. */
const LARGEST = 2 ** 32 - 1;

const whole = (least: number, most: number): Check =>
  expected(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  );

export const text = expected("a string", (value) => typeof value === "string");
export const flag = expected("true or false", (value) => typeof value === "boolean");
export const callback = expected("a function", (value) => typeof value === "function");
/** A number, from 0. */
export const count = whole(0, LARGEST);
/** A number, from 1. */
export const ordinal = whole(1, LARGEST);
export const large = whole(0, Number.MAX_SAFE_INTEGER);
export const date = expected(
  "a valid Date",
  (value) => Object.prototype.toString.call(value) === "[object Date]" && !Number.isNaN(Number(value)),
);
export const object = expected(
  "an object",
  (value) => isObject(value) && !Array.isArray(value) && !isCollection(value),
);
const signal = expected(
  "an AbortSignal",
  (value) => isObject(value) && "aborted" in value && "addEventListener" in value,
);

export function optional(check: Check): Check {
  return (value, name) => {
    if (value !== undefined) check(value, name);
  };
}

export function listOf(check: Check): Check {
  return (value, name) => {
    expected("an array", Array.isArray)(value, name);
    (value as unknown[]).forEach((item, at) => check(item, `${name}[${at}]`));
  };
}

/** An object of options, each optional; others are refused, since a misspelt one would have no effect. */
export function options(known: Options): Check {
  return (value, name) => {
    object(value, name);
    for (const [key, given] of Object.entries(value as object)) {
      const check = Object.hasOwn(known, key) ? known[key] : undefined;
      if (check === undefined) {
        const names = Object.keys(known).join(", ");
        throw new OcicleError("misuse", `${name}: unknown option ${shown(key)} (known: ${names})`);
      }
      if (given !== undefined) check(given, `${name}.${key}`);
    }
  };
}

/** The checks of `RunOptions`. */
export const RUN = { signal, onProgress: callback } satisfies Options;

/** Returns the JSON of an argument that the wasm module checks, which must not change on the way. */
export function json(value: unknown, name: string): string {
  object(value, name);
  const kept = expected("a value that JSON has", (item) => {
    if (typeof item === "number") return Number.isFinite(item);
    return !["function", "symbol", "bigint"].includes(typeof item) && !isCollection(item);
  });
  try {
    return JSON.stringify(value, (key, item: unknown) => (kept(item, key === "" ? name : key), item));
  } catch (error) {
    if (error instanceof OcicleError) throw error;
    throw new OcicleError("misuse", `${name}: ${String(error)}`, { cause: error });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isCollection(value: unknown): boolean {
  return value instanceof Map || value instanceof Set;
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (!isObject(value)) return String(value);
  return Array.isArray(value) ? "an array" : `an object (${value.constructor?.name ?? "no class"})`;
}
