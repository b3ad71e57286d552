/** Opens what is dropped, pasted or chosen. */
import { signal } from "@preact/signals";
import { fromDataTransfer, type Source } from "ocicle";
import { openSource } from "./session.ts";

/** Whether something is being dragged over the page. */
export const dragging = signal(false);

function nameOf(data: DataTransfer): string {
  return data.items[0]?.webkitGetAsEntry?.()?.name ?? data.files[0]?.name ?? "what was dropped";
}

function take(data: DataTransfer): void {
  void openSource(fromDataTransfer(data), nameOf(data));
}

export function listen(): void {
  // The events of two elements overlap: the second is entered before the first is left.
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    depth += 1;
    dragging.value = true;
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (depth === 0) dragging.value = false;
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    dragging.value = false;
    if (event.dataTransfer) take(event.dataTransfer);
  });
  addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) take(event.clipboardData);
  });
}

/** Returns the files chosen in a dialog, and their name. */
export function chosen(files: FileList): [source: Source, name: string] | undefined {
  const first = files[0];
  if (!first) return undefined;
  const directory = first.webkitRelativePath.split("/")[0];
  // A copy: the list is emptied with its input.
  return directory ? [[...files], directory] : [first, first.name];
}
