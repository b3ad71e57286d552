/** Differences of configs, and of the sizes of directories. */
import type { Compared } from "ocicle";
import { Gauge } from "../ui/gauge.tsx";
import { Difference } from "../ui/size.tsx";
import { SortedTable, type Column } from "../ui/sorted-table.tsx";

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function Config({ rows }: { rows: Compared["config"] }) {
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>Config</h2>
      <div class="table" role="region" aria-label="Config" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.field}>
                <th scope="row">{row.field}</th>
                <td class="mono">{shown(row.before)}</td>
                <td class="mono">{shown(row.after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

type Sum = [directory: string, bytes: number];

export function Directories({ sums }: { sums: Compared["directories"] }) {
  const rows = Object.entries(sums).filter(([, bytes]) => bytes !== 0);
  if (rows.length === 0) return null;
  const largest = Math.max(...rows.map(([, bytes]) => Math.abs(bytes)));
  const columns: Column<Sum>[] = [
    { name: "Directory", by: ([directory]) => directory, cell: ([directory]) => directory },
    {
      name: "Difference",
      by: ([, bytes]) => Math.abs(bytes),
      cell: ([, bytes]) => <Difference bytes={bytes} />,
      numeric: true,
    },
    {
      name: "Share",
      by: ([, bytes]) => Math.abs(bytes),
      cell: ([, bytes]) => <Gauge value={Math.abs(bytes)} of={largest} kind={bytes < 0 ? "less" : "more"} />,
    },
  ];
  return (
    <section>
      <h2>Sizes by directory</h2>
      <SortedTable
        caption="Sizes by directory"
        columns={columns}
        rows={rows}
        rowKey={([directory]) => directory}
        sortedBy="Difference"
      />
    </section>
  );
}
