/** A hex dump in rows of sixteen bytes, or of eight on narrow pages. */
import { useRef } from "preact/hooks";
import { Canvas, indexes, spanOf, useView } from "../ui/window.tsx";

const ROW_HEIGHT = 22;
/** The width of sixteen bytes in pixels. */
const WIDE = 640;

function line(bytes: Uint8Array, offset: number, width: number): [offset: string, hex: string, text: string] {
  const part = [...bytes.subarray(offset, offset + width)];
  const hex = part.map((byte, at) => byte.toString(16).padStart(2, "0") + (at === 7 ? " " : "")).join(" ");
  const text = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
  return [offset.toString(16).padStart(8, "0"), hex, text];
}

export function Hex({ path, bytes }: { path: string; bytes: Uint8Array }) {
  const box = useRef<HTMLDivElement>(null);
  const view = useView(box);
  const width = view.width < WIDE ? 8 : 16;
  const total = Math.ceil(bytes.length / width);
  const span = spanOf(view, total, ROW_HEIGHT);
  return (
    <div ref={box} class="content hex" tabIndex={0} role="region" aria-label={`Bytes of ${path}`}>
      <Canvas height={total * ROW_HEIGHT}>
        {indexes(span, undefined, total).map((index) => {
          const [offset, hex, text] = line(bytes, index * width, width);
          return (
            <div key={index} class="line" style={{ top: `${index * ROW_HEIGHT}px` }}>
              <span class="faint">{offset}</span> <span>{hex}</span> <span class="ascii">{text}</span>
            </div>
          );
        })}
      </Canvas>
    </div>
  );
}
