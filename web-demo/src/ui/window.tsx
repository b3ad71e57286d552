/** A virtual list: renders only the rows in view; all rows have the same height. */
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface Span {
  first: number;
  /** The position after the last row. */
  end: number;
}

/** The state of a scrolling element. */
export interface View {
  top: number;
  height: number;
  width: number;
}

/** Rows rendered beyond the edges, so that scrolling shows no gaps. */
const MARGIN = 8;

/** Returns the scroll position and size of an element. */
export function useView(box: RefObject<HTMLElement | null>): View {
  const [view, setView] = useState({ top: 0, height: 600, width: 600 });
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const look = () =>
      setView({ top: element.scrollTop, height: element.clientHeight, width: element.clientWidth });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [box]);
  return view;
}

/** Returns the rows in view. */
export function spanOf({ top, height }: View, total: number, rowHeight: number): Span {
  const first = Math.max(0, Math.floor(top / rowHeight) - MARGIN);
  const end = Math.min(total, Math.ceil((top + height) / rowHeight) + MARGIN);
  return { first: Math.min(first, end), end };
}

/** Returns the rows of a span, and the row with the focus. */
export function indexes(span: Span, besides: number | undefined, total: number): number[] {
  const all = Array.from({ length: span.end - span.first }, (_, at) => span.first + at);
  const extra = besides !== undefined && besides < total && (besides < span.first || besides >= span.end);
  return extra ? [...all, besides] : all;
}

/** Sets the height of the box to that of all rows. */
export function Canvas({
  height,
  children,
  role,
}: {
  height: number;
  children: ComponentChildren;
  role?: "rowgroup";
}) {
  return (
    <div class="canvas" role={role} style={{ height: `${height}px` }}>
      {children}
    </div>
  );
}
