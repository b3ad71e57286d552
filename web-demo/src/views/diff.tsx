/** Compares two images. */
import type { Compared, Image } from "ocicle";
import { fullName, ImageSelect } from "../diff/choice.tsx";
import { Files } from "../diff/files.tsx";
import { openOther, other, otherRefusal } from "../diff/other.ts";
import { Config, Directories } from "../diff/parts.tsx";
import { downloadJson } from "../download.ts";
import { refusalOf } from "../failure.ts";
import { change, count } from "../format.ts";
import { entryAt, type Opened } from "../opened.ts";
import { href, route } from "../route.ts";
import { semantic } from "../screen.ts";
import { Choose } from "../shell/choose.tsx";
import { Icon } from "../ui/icon.tsx";
import { Note, Problem, Waiting } from "../ui/notice.tsx";
import { useAsync } from "../use-async.ts";

export function DiffView({ image, store }: { image: Image; store: Opened }) {
  const { image: before, against, beside } = route.value;
  const second = beside === undefined ? store : other.value?.name === beside ? other.value : undefined;
  return (
    <div class="diff">
      <div class="toolbar">
        <span class="side">
          <span class="faint">before</span> {fullName(store, entryAt(store, before))}
        </span>
        {against && !beside && (
          <a class="button" href={href({ image: against, against: before })} aria-label="Swap">
            <Icon name="swap" />
          </a>
        )}
        <label class="side">
          <span class="faint">after</span> <ImageSelect store={store} />
        </label>
        <label class="toggle">
          <input
            type="checkbox"
            checked={semantic.value}
            onChange={(event) => (semantic.value = event.currentTarget.checked)}
          />
          <span>Leave out times</span>
        </label>
        <Choose what="Another" onChoose={openOther} />
      </div>
      {otherRefusal.value && (
        <Problem
          failure={otherRefusal.value.failure}
          about={otherRefusal.value.name}
          title={refusalOf(otherRefusal.value.failure)}
        />
      )}
      {!second && <Note>This link compares with {beside}. Open that file, too.</Note>}
      {second && against && (
        <Comparison
          key={`${beside} ${against}`}
          image={image}
          store={second}
          against={against}
          semantic={semantic.value}
        />
      )}
    </div>
  );
}

interface Props {
  image: Image;
  /** The store of the other image. */
  store: Opened;
  against: string;
  semantic: boolean;
}

function Comparison({ image, store, against, semantic }: Props) {
  const compare = async (signal: AbortSignal) => {
    const after = await store.store.image(against);
    try {
      return await store.store.diff(image, after, { semantic, signal });
    } finally {
      await after.close();
    }
  };
  const compared = useAsync(compare, [image, store, against, semantic]);
  if (compared.state === "waiting") return <Waiting>Reading both images …</Waiting>;
  if (compared.state === "failed")
    return <Problem failure={compared.failure} about="These cannot be compared" />;
  return <Result compared={compared.value} />;
}

function Result({ compared }: { compared: Compared }) {
  const { files, config } = compared;
  const number = (what: Compared["files"][number]["change"]) =>
    count(files.filter((file) => file.change === what).length);
  const bytes = files.reduce((sum, file) => sum + file.sizeAfter - file.sizeBefore, 0);
  if (files.length === 0 && config.length === 0) return <Note>Nothing differs. {ignored(compared)}</Note>;
  return (
    <>
      <p class="lead">
        {number("added")} added, {number("changed")} changed, {number("removed")} removed:{" "}
        <strong>{change(bytes)}</strong>{" "}
        <button type="button" class="quiet" onClick={() => downloadJson(compared, "diff.json")}>
          <Icon name="download" /> diff.json
        </button>
      </p>
      <p class="faint">{ignored(compared)}</p>
      <Config rows={config} />
      <Directories sums={compared.directories} />
      <Files files={files} />
    </>
  );
}

function ignored(compared: Compared): string {
  const all = Object.entries(compared.ignored).filter(([, number]) => number > 0);
  return all.length ? `Left out: ${all.map(([what, number]) => `${what} (${number})`).join(", ")}.` : "";
}
