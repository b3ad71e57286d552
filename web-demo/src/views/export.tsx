/** Saves the results as files. */
import { useState } from "preact/hooks";
import type { Dialect, Image } from "ocicle";
import { announce } from "../announce.ts";
import { download, downloadJson } from "../download.ts";
import { failureOf, type Failure } from "../failure.ts";
import { dialect } from "../screen.ts";
import type { Opened } from "../opened.ts";
import { Check } from "./check.tsx";
import { Icon } from "../ui/icon.tsx";
import { LeftOut } from "../ui/left-out.tsx";
import { Problem } from "../ui/notice.tsx";

const DIALECTS: readonly Dialect[] = ["native", "portable", "bsd", "umoci"];

export function ExportView({ image, store }: { image: Image; store: Opened }) {
  return (
    <div class="export">
      <section>
        <h2>Manifest of the files</h2>
        <p>Every path with its type, mode, owner, time and digest, as mtree(5), straight from the layers.</p>
        <div class="toolbar">
          <label>
            Dialect{" "}
            <select
              value={dialect.value}
              onChange={(event) => (dialect.value = event.currentTarget.value as Dialect)}
            >
              {DIALECTS.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <Save name="image.mtree" make={() => image.mtree(dialect.value)} />
        </div>
      </section>
      <section>
        <h2>JSON</h2>
        <p>The same as the command prints with --json.</p>
        <LeftOut />
        <div class="toolbar">
          <Save name="stat.json" make={() => image.stat()} />
          <Save name="files.json" make={() => image.files()} />
          <Save name="waste.json" make={() => image.waste()} />
          <Save name="list.json" make={() => store.store.list()} />
        </div>
      </section>
      <Check store={store} />
    </div>
  );
}

/** A button that saves a file. */
function Save({ name, make }: { name: string; make: () => Promise<unknown> }) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const press = async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      const made = await make();
      if (made instanceof Uint8Array) download(made, name, "text/plain");
      else downloadJson(made, name);
      announce(`${name} is saved.`);
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" onClick={() => void press()} disabled={busy}>
        <Icon name="download" /> {name}
      </button>
      {failure && <Problem failure={failure} about={name} />}
    </>
  );
}
