/** The changes of each layer to the path. */
import type { Deed, Image, Row } from "ocicle";
import { ChangeMark } from "../files/row.tsx";
import { command } from "../format.ts";
import { href } from "../route.ts";
import { LayerChip } from "../ui/layer-chip.tsx";
import { Size } from "../ui/size.tsx";
import { useAsync } from "../use-async.ts";

export function Deeds({ image, row }: { image: Image; row: Row }) {
  const why = useAsync(() => image.why(row.path), [image, row.path]);
  if (why.state !== "done" || why.value.deeds.length === 0) return null;
  return (
    <section class="deeds" aria-label="Changes by layer">
      <ol>
        {why.value.deeds.map((deed) => (
          <li key={deed.layer}>
            <LayerChip layer={deed.layer} /> <ChangeMark change={deed.what} /> <Words deed={deed} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Words({ deed }: { deed: Deed }) {
  return (
    <>
      <a href={href({ layer: deed.layer })}>{deed.what}</a>
      {deed.with !== undefined && <> with {deed.with}</>}
      {deed.size > 0 && (
        <>
          , <Size bytes={deed.size} />
        </>
      )}
      {deed.createdBy && <code class="faint"> {command(deed.createdBy)}</code>}
    </>
  );
}
