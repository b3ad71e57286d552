/** Reads and verifies the whole store. */
import { useState } from "preact/hooks";
import type { CheckReport, Finding, Progress } from "ocicle";
import { announce } from "../announce.ts";
import { downloadJson } from "../download.ts";
import { failureOf, type Failure } from "../failure.ts";
import { percent, plural, shortDigest } from "../format.ts";
import type { Opened } from "../opened.ts";
import { Icon } from "../ui/icon.tsx";
import { Problem, Waiting } from "../ui/notice.tsx";

type State = { report: CheckReport } | { failure: Failure } | { progress: Progress } | undefined;

export function Check({ store }: { store: Opened }) {
  const [state, setState] = useState<State>();
  const start = async () => {
    setState({ progress: { done: 0, total: 0 } });
    try {
      const report = await store.store.check({ onProgress: (progress) => setState({ progress }) });
      setState({ report });
      announce(
        report.findings.length
          ? `${plural(report.findings.length, "problem")} found.`
          : "Everything matches.",
      );
    } catch (error) {
      setState({ failure: failureOf(error) });
    }
  };
  return (
    <section>
      <h2>Check</h2>
      <p>Reads every document, blob and layer of {store.name}, not only of this image.</p>
      <div class="toolbar">
        <button
          type="button"
          onClick={() => void start()}
          disabled={state !== undefined && "progress" in state}
        >
          <Icon name="verified" /> Check everything
        </button>
        {state && "report" in state && (
          <button type="button" onClick={() => downloadJson(state.report, "check.json")}>
            <Icon name="download" /> check.json
          </button>
        )}
      </div>
      {state && "progress" in state && (
        <Waiting>Checked {percent(state.progress.done, state.progress.total)} …</Waiting>
      )}
      {state && "failure" in state && <Problem failure={state.failure} />}
      {state && "report" in state && <Report report={state.report} />}
    </section>
  );
}

function Report({ report }: { report: CheckReport }) {
  const { findings, warnings } = report;
  return (
    <>
      <p class={findings.length ? "state state-failed" : "state state-verified"}>
        <Icon name={findings.length ? "failed" : "verified"} />{" "}
        {findings.length
          ? plural(findings.length, "problem")
          : `${plural(report.blobs, "blob")} match, including ${plural(report.layers, "layer")}`}
      </p>
      <Findings list={findings} />
      {warnings.length > 0 && <h3>{plural(warnings.length, "warning")}</h3>}
      <Findings list={warnings} />
    </>
  );
}

function Findings({ list }: { list: Finding[] }) {
  if (list.length === 0) return null;
  return (
    <ul class="findings">
      {list.map((finding, at) => (
        <li key={at}>
          {finding.problem}
          <br />
          <small class="faint mono" title={finding.digest}>
            {finding.place} {shortDigest(finding.digest)}
          </small>
        </li>
      ))}
    </ul>
  );
}
