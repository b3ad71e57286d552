/** The active row. It follows the route, and stays at its path when directories open and close. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RowPages } from "./pages.ts";
import { openTo } from "./query.ts";

export function useActive(pages: RowPages, path: string, reveal: (index: number) => void) {
  const [active, setActive] = useState(0);
  /** The path to stay at; `undefined` while the row is loading. */
  const place = useRef<string | undefined>(path);

  const moveTo = (index: number) => {
    place.current = pages.row(index)?.path;
    setActive(index);
    reveal(index);
  };

  useLayoutEffect(() => {
    place.current = path;
    openTo(path);
  }, [pages.image, path]);

  useEffect(() => {
    const wanted = place.current;
    if (wanted === undefined) moveTo(Math.min(active, pages.total - 1));
    if (wanted === undefined || pages.row(active)?.path === wanted) return undefined;
    let stale = false;
    void pages.image.position(pages.query, wanted).then((found) => {
      if (stale) return;
      moveTo(found ?? 0);
      // Not visible yet: its directories are being opened.
      place.current = wanted;
    });
    return () => {
      stale = true;
    };
  }, [pages, path]);

  return [Math.max(0, Math.min(active, pages.total - 1)), moveTo] as const;
}
