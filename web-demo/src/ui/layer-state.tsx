import type { Layer } from "ocicle";
import { Icon } from "./icon.tsx";

const MEANING: Record<Layer["state"], string> = {
  waiting: "Not read yet",
  listed: "Listed, but not verified yet",
  verified: "Size, digest and diff_id match",
  failed: "Cannot be read, or does not match its digest",
};

export function LayerState({ layer }: { layer: Layer }) {
  return (
    <span class={`state state-${layer.state}`} title={MEANING[layer.state]}>
      <Icon name={layer.state} /> {layer.state}
    </span>
  );
}
