/** A table that is sorted by its headings. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

export interface Column<Row> {
  name: string;
  /** The sort key: numbers descending, text ascending. */
  by: (row: Row) => number | string;
  cell: (row: Row) => ComponentChildren;
  numeric?: boolean;
}

interface Props<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** The heading that sorts initially. */
  sortedBy: string;
  /** The maximum number of rows. */
  limit?: number;
}

function compare(a: number | string, b: number | string): number {
  return typeof a === "number" && typeof b === "number"
    ? b - a
    : String(a) < String(b)
      ? -1
      : String(a) > String(b)
        ? 1
        : 0;
}

function arrow(direction: "ascending" | "descending" | undefined): string {
  return direction === "ascending" ? " ↑" : direction === "descending" ? " ↓" : "";
}

export function SortedTable<Row>({ caption, columns, rows, rowKey, sortedBy, limit = 500 }: Props<Row>) {
  const [name, setName] = useState(sortedBy);
  const [turned, setTurned] = useState(false);
  const by = columns.find((column) => column.name === name)?.by;
  const sorted = by ? rows.toSorted((a, b) => (turned ? -1 : 1) * compare(by(a), by(b))) : rows;
  const press = (column: Column<Row>) => {
    setTurned(column.name === name && !turned);
    setName(column.name);
  };
  const direction = (column: Column<Row>) => {
    if (column.name !== name) return undefined;
    return (column.numeric ?? false) !== turned ? "descending" : "ascending";
  };
  return (
    <div class="table" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.name}
                scope="col"
                class={column.numeric ? "right" : ""}
                aria-sort={direction(column)}
              >
                <button type="button" onClick={() => press(column)}>
                  {column.name}
                  <span aria-hidden="true">{arrow(direction(column))}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, limit).map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td key={column.name} class={column.numeric ? "right" : ""}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > limit && (
        <p class="faint">
          The first {limit} of {sorted.length}; the JSON file has all.
        </p>
      )}
    </div>
  );
}
