import type { Layer } from "ocicle";
import { Icon } from "./icon.tsx";

const MEANING: Record<Layer["state"], string> = {
  waiting: "Not read yet",
  listed: "What is in it is known, but not verified yet",
  verified: "Size, digest and diff_id are as promised",
  failed: "It cannot be read, or is not what was promised",
};

export function LayerState({ layer }: { layer: Layer }) {
  return (
    <span class={`state state-${layer.state}`} title={MEANING[layer.state]}>
      <Icon name={layer.state} /> {layer.state}
    </span>
  );
}
