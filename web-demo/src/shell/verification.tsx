/** The verification state of the image, in one line. */
import type { Layer } from "ocicle";
import { plural, percent } from "../format.ts";
import { layers, work } from "../image.ts";
import { href } from "../route.ts";
import { Icon, type IconName } from "../ui/icon.tsx";

/** `busy`: whether more is being read, so that not all can be seen yet. */
function summary(all: readonly Layer[], busy: boolean): [icon: IconName, text: string] {
  const number = (state: Layer["state"]) => all.filter((layer) => layer.state === state).length;
  const failed = number("failed");
  if (failed) return ["failed", `${failed} of ${plural(all.length, "layer")} failed`];
  if (number("verified") === all.length && !busy)
    return ["verified", `${plural(all.length, "layer")} verified`];
  return number("waiting")
    ? ["waiting", plural(all.length, "layer")]
    : ["listed", `${plural(all.length, "layer")} listed`];
}

export function Verification() {
  const busy = work.value;
  const [icon, text] = summary(layers.value, busy !== undefined);
  return (
    <p class="verification">
      <a class={`state state-${icon}`} href={href({ view: "layers" })}>
        <Icon name={icon} /> {text}
      </a>
      {busy && (
        <>
          <progress max={busy.progress?.total} value={busy.progress?.done} aria-label={busy.what} />
          <span class="faint">
            {busy.what} {busy.progress && percent(busy.progress.done, busy.progress.total)}
          </span>
        </>
      )}
    </p>
  );
}
