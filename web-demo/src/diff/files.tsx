/** Files that differ, with both sizes. */
import { useState } from "preact/hooks";
import type { Compared } from "ocicle";
import { plural } from "../format.ts";
import { Difference, Size } from "../ui/size.tsx";
import { SortedTable, type Column } from "../ui/sorted-table.tsx";

type File = Compared["files"][number];
const LETTERS = { added: "A", changed: "M", removed: "D" } as const;

function Mark({ file }: { file: File }) {
  return (
    <abbr class={`mark mark-${file.change}`} title={file.change}>
      {LETTERS[file.change]}
    </abbr>
  );
}

const COLUMNS: Column<File>[] = [
  {
    name: "Path",
    by: (file) => file.path,
    cell: (file) => (
      <>
        <Mark file={file} /> {file.path}
        {file.aspects && <span class="faint"> {file.aspects.join(", ")}</span>}
      </>
    ),
  },
  {
    name: "Before",
    by: (file) => file.sizeBefore,
    cell: (file) =>
      file.change === "added" ? <span class="faint">–</span> : <Size bytes={file.sizeBefore} />,
    numeric: true,
  },
  {
    name: "After",
    by: (file) => file.sizeAfter,
    cell: (file) =>
      file.change === "removed" ? <span class="faint">–</span> : <Size bytes={file.sizeAfter} />,
    numeric: true,
  },
  {
    name: "Difference",
    by: (file) => Math.abs(file.sizeAfter - file.sizeBefore),
    cell: (file) => <Difference bytes={file.sizeAfter - file.sizeBefore} />,
    numeric: true,
  },
];

export function Files({ files }: { files: File[] }) {
  const [text, setText] = useState("");
  if (files.length === 0) return null;
  const fitting = files.filter((file) => file.path.toLowerCase().includes(text.toLowerCase()));
  return (
    <section>
      <h2>{plural(files.length, "file")}</h2>
      <input
        type="search"
        value={text}
        placeholder="Search paths"
        aria-label="Search paths that differ"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <SortedTable
        caption="Files that differ"
        columns={COLUMNS}
        rows={fitting}
        rowKey={(file) => file.path}
        sortedBy="Path"
      />
    </section>
  );
}
