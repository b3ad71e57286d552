import { useEffect, useState } from "preact/hooks";
import { plural } from "../format.ts";
import { pictureType } from "./kind.ts";

export function Picture({ path, bytes }: { path: string; bytes: Uint8Array }) {
  const [url, setUrl] = useState<string>();
  const [note, setNote] = useState("");
  const type = pictureType(path, bytes);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes as BlobPart], type === undefined ? {} : { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  return (
    <figure class="picture">
      {url && (
        <img
          src={url}
          alt={`Picture ${path}`}
          onLoad={({ currentTarget: img }) =>
            setNote(`${img.naturalWidth} × ${plural(img.naturalHeight, "pixel")}`)
          }
          onError={() => setNote("The browser cannot show this picture: it is damaged or not supported.")}
        />
      )}
      <figcaption>{note}</figcaption>
    </figure>
  );
}
