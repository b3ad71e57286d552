/** The layers that cannot be read, where what is shown lacks them. */
import type { ErrorKind, Layer } from "ocicle";
import { titleOf } from "../failure.ts";
import { layers } from "../image.ts";
import { href } from "../route.ts";
import { Icon } from "./icon.tsx";

const DAMAGED: ErrorKind = "corrupt";

export function LeftOut() {
  const failed = layers.value.filter((layer) => layer.state === "failed");
  if (failed.length === 0) return null;
  return (
    <div class="notice problem" role="group" aria-label="Layers that are not included">
      <Icon name="failed" />
      <ul>
        {failed.map((layer) => (
          <li key={layer.layer}>
            <a href={href({ view: "layers" })}>Layer {layer.layer}</a> is <strong>not included</strong> (
            {wordOf(layer)}): {reasonOf(layer)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function wordOf({ urls, error }: Layer): string {
  if (urls) return "foreign";
  if (!error || error.kind === DAMAGED) return "damaged";
  return titleOf(error).toLowerCase();
}

/** Returns why a layer cannot be read. */
export function reasonOf({ urls, error }: Layer): string {
  return urls ? `its content is not here, but at ${urls.join(", ")}` : (error?.message ?? "");
}
