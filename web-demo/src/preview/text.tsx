import { useState } from "preact/hooks";
import { size } from "../format.ts";
import { decode } from "./kind.ts";

/** The maximum text that browsers lay out quickly. */
const AT_FIRST = 256 * 1024;

export function Text({ path, bytes }: { path: string; bytes: Uint8Array }) {
  const [all, setAll] = useState(false);
  const part = all ? bytes : bytes.subarray(0, AT_FIRST);
  const text = decode(part) ?? new TextDecoder().decode(part);
  if (bytes.length === 0) return <p class="faint">The file is empty.</p>;
  return (
    <>
      <pre class="content" tabIndex={0} role="region" aria-label={`Text of ${path}`}>
        {text}
      </pre>
      {part.length < bytes.length && (
        <p>
          The first {size(part.length)} of {size(bytes.length)}.{" "}
          <button type="button" onClick={() => setAll(true)}>
            Show all
          </button>
        </p>
      )}
    </>
  );
}
