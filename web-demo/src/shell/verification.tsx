/** The verification state of the image, in one line. */
import type { Layer } from "ocicle";
import { plural, percent } from "../format.ts";
import { layers, work } from "../image.ts";
import { href } from "../route.ts";
import { Icon, type IconName } from "../ui/icon.tsx";

const WORDS = { reading: "reading", verifying: "verifying" };

function summary(all: readonly Layer[]): [icon: IconName, text: string] {
  const number = (state: Layer["state"]) => all.filter((layer) => layer.state === state).length;
  const failed = number("failed");
  if (failed) return ["failed", `${failed} of ${plural(all.length, "layer")} failed`];
  if (number("verified") === all.length) return ["verified", `${plural(all.length, "layer")} verified`];
  return number("waiting")
    ? ["waiting", plural(all.length, "layer")]
    : ["listed", `${plural(all.length, "layer")} listed`];
}

export function Verification() {
  const [icon, text] = summary(layers.value);
  const busy = work.value;
  return (
    <p class="verification">
      <a class={`state state-${icon}`} href={href({ view: "layers" })}>
        <Icon name={icon} /> {text}
      </a>
      {busy && (
        <>
          <progress max={busy.progress.total} value={busy.progress.done} aria-label={WORDS[busy.what]} />
          <span class="faint">
            {WORDS[busy.what]} {percent(busy.progress.done, busy.progress.total)}
          </span>
        </>
      )}
    </p>
  );
}
