/**
 * Returns the rows of the query. The rows before stay until the new ones arrive, so that nothing flickers.
 */
import { useEffect, useState } from "preact/hooks";
import type { Image, RowQuery } from "ocicle";
import { failureOf, type Failure } from "../failure.ts";
import { RowPages } from "./pages.ts";

export interface Rows {
  pages: RowPages | undefined;
  failure: Failure | undefined;
}

export function useRows(image: Image, query: RowQuery, revision: string): Rows {
  const [state, setState] = useState<Rows>({ pages: undefined, failure: undefined });
  useEffect(() => {
    let stale = false;
    let made: RowPages | undefined;
    RowPages.open(image, query).then(
      (pages) => {
        made = pages;
        if (stale) pages.close();
        else setState({ pages, failure: undefined });
      },
      (error: unknown) => {
        if (!stale) setState({ pages: undefined, failure: failureOf(error) });
      },
    );
    return () => {
      stale = true;
      made?.close();
    };
  }, [image, query, revision]);
  return state;
}
