/** The number of a layer, in one of eight colours. */
export function tint(layer: number): string {
  return `tint-${(layer - 1) % 8}`;
}

export function LayerChip({ layer }: { layer: number }) {
  return (
    <span class={`chip ${tint(layer)}`} title={`Layer ${layer}`}>
      <span class="hidden">layer </span>
      {layer}
    </span>
  );
}
