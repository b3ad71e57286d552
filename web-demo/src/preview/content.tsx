/** The content of a file: as text, bytes or picture. */
import { useState } from "preact/hooks";
import type { Image, Row } from "ocicle";
import { download } from "../download.ts";
import { size } from "../format.ts";
import { Choice, type Option } from "../ui/choice.tsx";
import { Icon } from "../ui/icon.tsx";
import { Problem, Waiting } from "../ui/notice.tsx";
import { useAsync } from "../use-async.ts";
import { Hex } from "./hex.tsx";
import { bestLook, pictureType, type Look } from "./kind.ts";
import { Picture } from "./picture.tsx";
import { Text } from "./text.tsx";

/** Larger files are read on request only. */
const UNASKED = 16 * 1024 * 1024;
const LOOKS: readonly Option<Look>[] = [
  { value: "text", label: "Text" },
  { value: "hex", label: "Hex" },
  { value: "picture", label: "Picture" },
];

interface Props {
  image: Image;
  row: Row;
  /** The layer whose file is read; by default that of the merged file system. */
  layer: number | undefined;
}

export function Content(props: Props) {
  const { row } = props;
  const [asked, setAsked] = useState(false);
  if (row.size > UNASKED && !asked) {
    return (
      <p>
        <button type="button" onClick={() => setAsked(true)}>
          Read {size(row.size)}
        </button>
      </p>
    );
  }
  return <Bytes {...props} />;
}

function Bytes({ image, row, layer }: Props) {
  const content = useAsync(async () => {
    const blob = await image.read(row.path, layer === undefined ? {} : { layer });
    return new Uint8Array(await blob.arrayBuffer());
  }, [image, row.path, layer]);
  const [chosen, setChosen] = useState<Look>();
  if (content.state === "waiting") return <Waiting>Reading {row.name} …</Waiting>;
  if (content.state === "failed") return <Problem failure={content.failure} />;
  const bytes = content.value;
  const look = chosen ?? bestLook(row.path, bytes);
  const looks = pictureType(row.path, bytes) ? LOOKS : LOOKS.filter(({ value }) => value !== "picture");
  const View = { text: Text, hex: Hex, picture: Picture }[look];
  return (
    <>
      <div class="toolbar">
        <Choice legend="Show as" options={looks} value={look} onChange={setChosen} />
        <button type="button" onClick={() => download(bytes, row.name)}>
          <Icon name="download" /> Download
        </button>
      </div>
      <View path={row.path} bytes={bytes} />
    </>
  );
}
