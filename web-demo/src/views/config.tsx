/** The config and history of an image. */
import type { ComponentChildren } from "preact";
import type { HistoryRow, Image, ImageConfig, Stat } from "ocicle";
import { command, time } from "../format.ts";
import { layers } from "../image.ts";
import { LayerChip } from "../ui/layer-chip.tsx";
import { Problem, Waiting } from "../ui/notice.tsx";
import { Size } from "../ui/size.tsx";
import { useAsync } from "../use-async.ts";

export function ConfigView({ image }: { image: Image }) {
  const stat = useAsync(() => image.stat(), [image]);
  if (stat.state === "waiting") return <Waiting>Reading the config …</Waiting>;
  if (stat.state === "failed") return <Problem failure={stat.failure} />;
  return (
    <div class="config">
      <Run config={stat.value.config} />
      <Origin stat={stat.value} />
      <Pairs title="Environment" pairs={(stat.value.config.config?.Env ?? []).map(nameAndValue)} />
      <Pairs title="Labels" pairs={Object.entries(stat.value.config.config?.Labels ?? {})} />
      <Pairs title="Annotations" pairs={Object.entries(stat.value.manifest.annotations ?? {})} />
      <History rows={stat.value.history} />
    </div>
  );
}

function nameAndValue(variable: string): [string, string] {
  const at = variable.indexOf("=");
  return at < 0 ? [variable, ""] : [variable.slice(0, at), variable.slice(at + 1)];
}

/** Arguments as a JSON array, as in a Dockerfile. */
function list(words: string[] | undefined): string | undefined {
  return words?.length ? JSON.stringify(words) : undefined;
}

function Run({ config }: { config: ImageConfig }) {
  const run = config.config ?? {};
  return (
    <Facts
      title="Runs"
      facts={[
        ["Entry point", list(run.Entrypoint)],
        ["Command", list(run.Cmd)],
        ["User", run.User],
        ["Directory", run.WorkingDir],
        ["Ports", Object.keys(run.ExposedPorts ?? {}).join(", ")],
        ["Volumes", Object.keys(run.Volumes ?? {}).join(", ")],
        ["Stop signal", run.StopSignal],
        ["Health check", list(run.Healthcheck?.Test)],
      ]}
    />
  );
}

function Origin({ stat: { config, descriptor, manifest } }: { stat: Stat }) {
  return (
    <Facts
      title="Is"
      facts={[
        ["Platform", [config.os, config.architecture, config.variant].filter(Boolean).join("/")],
        ["Created", time(config.created)],
        ["Author", config.author],
        ["Manifest", descriptor.digest],
        ["Config", manifest.config.digest],
        ["Media type", descriptor.mediaType],
      ]}
    />
  );
}

function Facts({ title, facts }: { title: string; facts: [name: string, value: string | undefined][] }) {
  return <Pairs title={title} pairs={facts.filter((fact): fact is [string, string] => Boolean(fact[1]))} />;
}

function Pairs({ title, pairs }: { title: string; pairs: [name: string, value: ComponentChildren][] }) {
  if (pairs.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <dl class="pairs">
        {pairs.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function History({ rows }: { rows: HistoryRow[] }) {
  const numbers = rows.map((row, at) =>
    row.layer ? rows.slice(0, at + 1).filter((earlier) => earlier.layer).length : undefined,
  );
  return (
    <section>
      <h2>History</h2>
      <ol class="history">
        {rows.map((row, at) => (
          <li key={at}>
            <span>
              {numbers[at] ? (
                <LayerChip layer={numbers[at]} />
              ) : (
                <span class="chip none" title="No layer">
                  –
                </span>
              )}
            </span>
            <div>
              <code>{command(row.created_by) || "No command is recorded"}</code>
              {row.comment && <p class="faint">{row.comment}</p>}
            </div>
            <span class="faint right">{row.layer && <Size bytes={row.layer.size} />}</span>
            <time class="faint" dateTime={row.created}>
              {time(row.created)}
            </time>
          </li>
        ))}
      </ol>
      {rows.length === 0 && <p class="faint">No history for these {layers.value.length} layers.</p>}
    </section>
  );
}
