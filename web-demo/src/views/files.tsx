import type { Image } from "ocicle";
import { FileTree } from "../files/tree.tsx";
import { Toolbar } from "../files/toolbar.tsx";
import { Preview } from "../preview/preview.tsx";
import { LeftOut } from "../ui/left-out.tsx";

export function FilesView({ image }: { image: Image }) {
  return (
    <div class="files">
      <Toolbar />
      <LeftOut />
      <div class="split">
        <FileTree image={image} />
        <Preview image={image} />
      </div>
    </div>
  );
}
