/** Formats numbers and names. */

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Formats a size in decimal units with three digits: `0 B`, `999 B`, `1.24 kB`, `35.1 MB`. */
export function size(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  // 999.5 would be rounded to 1000.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${bytes < 0 ? "−" : ""}${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Formats a difference, with its sign. */
export function change(bytes: number): string {
  return bytes > 0 ? `+${size(bytes)}` : bytes < 0 ? size(bytes) : "±0";
}

const whole = new Intl.NumberFormat("en-US");

export function count(number: number): string {
  return whole.format(number);
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}

export function percent(part: number, of: number): string {
  if (of === 0) return "0 %";
  const share = (100 * part) / of;
  return `${share >= 10 || share === 0 ? share.toFixed(0) : share.toFixed(1)} %`;
}

/** Shortens a digest: `sha256:1f2e3d4c5b6a…`. */
export function shortDigest(digest: string): string {
  const [algorithm, hex = ""] = digest.split(":");
  return `${algorithm}:${hex.slice(0, 12)}`;
}

/** Returns the command in `created_by`, without the shell and comments that builders add. */
export function command(createdBy: string | undefined): string {
  if (!createdBy) return "";
  return createdBy
    .replace(/^\/bin\/sh -c #\(nop\)\s+/, "")
    .replace(/^(RUN )?\/bin\/sh -c\s+/, "RUN ")
    .replace(/\s+# buildkit$/, "")
    .trim();
}

/** Formats a time in UTC: `2023-11-14 22:13:20`. */
export function time(rfc3339: string | undefined): string {
  if (!rfc3339) return "";
  const date = new Date(rfc3339);
  return Number.isNaN(date.getTime())
    ? rfc3339
    : date
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "");
}

const TYPE_LETTERS: Record<string, string> = {
  dir: "d",
  link: "l",
  char: "c",
  block: "b",
  fifo: "p",
  socket: "s",
};

/** Formats a mode as ls(1): `-rw-r--r--`. */
export function permissions(mode: string | undefined, type: string): string {
  if (mode === undefined) return "";
  const bits = Number.parseInt(mode, 8);
  const letters = "rwxrwxrwx".split("").map((letter, at) => (bits & (1 << (8 - at)) ? letter : "-"));
  const special = [0o4000, 0o2000, 0o1000];
  special.forEach((bit, at) => {
    if (!(bits & bit)) return;
    const place = at * 3 + 2;
    const [on, off] = at === 2 ? ["t", "T"] : ["s", "S"];
    letters[place] = letters[place] === "x" ? on! : off!;
  });
  return (TYPE_LETTERS[type] ?? "-") + letters.join("");
}
