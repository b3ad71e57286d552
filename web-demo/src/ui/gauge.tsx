/** A number as a bar; always beside the number itself. */
export function Gauge({ value, of, kind = "" }: { value: number; of: number; kind?: string }) {
  return (
    <span class={`gauge ${kind}`} aria-hidden="true">
      <span style={{ width: `${of > 0 ? (100 * value) / of : 0}%` }} />
    </span>
  );
}
