import { change, count, size } from "../format.ts";

/** A size in short form; the exact number is in the tooltip. */
export function Size({ bytes, quiet = false }: { bytes: number; quiet?: boolean }) {
  if (quiet && bytes === 0) return <span class="faint">–</span>;
  return (
    <span class="number" title={`${count(bytes)} bytes`}>
      {size(bytes)}
    </span>
  );
}

export function Difference({ bytes }: { bytes: number }) {
  return (
    <span class="number" title={`${bytes > 0 ? "+" : ""}${count(bytes)} bytes`}>
      {change(bytes)}
    </span>
  );
}
