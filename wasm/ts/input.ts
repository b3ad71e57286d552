/** From what people have to what a store is read from. */

import { OcicleError } from "./error.js";
import type { Origin, Part } from "./part.js";
import type { Source } from "./types.js";

/** The file that makes a directory a layout. */
const MARKER = "oci-layout";

export async function originOf(source: Exclude<Source, string>, signal?: AbortSignal): Promise<Origin> {
  if (source instanceof Blob) return { archive: { blob: source } };
  if (source instanceof ArrayBuffer) return { archive: { bytes: new Uint8Array(source) } };
  if (source instanceof Uint8Array) return { archive: { bytes: source } };
  if (source instanceof URL) return originAt(source, signal);
  if (source instanceof Map) return layout(source as ReadonlyMap<string, Blob | Uint8Array>);
  if (isHandle(source)) {
    if (source.kind === "file") return { archive: { blob: await (source as FileSystemFileHandle).getFile() } };
    const files = new Map<string, Blob>();
    await collect(source as FileSystemDirectoryHandle, "", files);
    return layout(files);
  }
  if (!isList(source)) throw new OcicleError("misuse", "expected a File, what else holds an archive, or the files of a layout");
  const files = [...source];
  const [first] = files;
  if (first === undefined) throw new OcicleError("misuse", "there are no files");
  if (files.length === 1 && pathOf(first) === first.name) return { archive: { blob: first } };
  return layout(new Map(files.map((file) => [pathOf(file), file])));
}

/**
 * What was dropped or pasted: files and directories. To be called in the handler of the event, which takes back what it gave after its first
 * `await`.
 */
export async function fromDataTransfer(data: DataTransfer): Promise<Source> {
  const entries = [...data.items].map((item) => (item.kind === "file" ? item.webkitGetAsEntry() : null));
  const plain = [...data.files];
  const found = entries.filter((entry) => entry !== null);
  if (found.every((entry) => entry.isFile)) {
    if (plain.length === 0) throw new OcicleError("misuse", "nothing that can be opened was dropped: a file or a directory can");
    return plain;
  }
  const files = new Map<string, Blob>();
  for (const entry of found) await walk(entry, "", files);
  return files;
}

/** The files of a directory that was named by the way: only what is in the layout counts, wherever that is. */
function layout(files: ReadonlyMap<string, Blob | Uint8Array>): Origin {
  const markers = [...files.keys()].filter((path) => path === MARKER || path.endsWith(`/${MARKER}`));
  const [marker, another] = markers.sort((a, b) => a.length - b.length);
  if (marker === undefined) {
    throw new OcicleError(
      "notFound",
      `there is no ${MARKER} among these ${files.size} files: expected the directory of an OCI image layout, or one archive`,
    );
  }
  if (another?.length === marker.length) {
    throw new OcicleError("ambiguous", `there are several layouts in this directory, ${markers.join(", ")}: open one of them`);
  }
  const root = marker.slice(0, -MARKER.length);
  const parts = new Map<string, Part>();
  for (const [path, content] of files) {
    if (!path.startsWith(root)) continue;
    parts.set(path.slice(root.length), content instanceof Blob ? { blob: content } : { bytes: content });
  }
  return { files: parts };
}

async function originAt(url: URL, signal?: AbortSignal): Promise<Origin> {
  if (url.pathname.endsWith("/")) return { base: url.href };
  const response = await fetch(url, { headers: { Range: "bytes=0-0" }, ...(signal && { signal }) }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new OcicleError("io", `${url.href}: ${String(error)}`, { cause: error });
  });
  await response.body?.cancel();
  if (!response.ok) throw new OcicleError("io", `${url.href}: the server says ${response.status}`);
  const size = /\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1];
  if (response.status !== 206 || size === undefined) {
    throw new OcicleError(
      "unsupported",
      `${url.href}: the server does not give parts of files (Range), or does not let this page see which (Content-Range)`,
    );
  }
  return { archive: { url: url.href, start: 0, size: Number(size) } };
}

function isList(source: unknown): source is FileList | readonly File[] {
  return source instanceof Object && Symbol.iterator in source;
}

function isHandle(source: unknown): source is FileSystemHandle {
  return typeof FileSystemHandle !== "undefined" && source instanceof FileSystemHandle;
}

async function collect(directory: FileSystemDirectoryHandle, way: string, files: Map<string, Blob>): Promise<void> {
  const entries = (directory as unknown as { values(): AsyncIterable<FileSystemHandle> }).values();
  for await (const entry of entries) {
    const path = way + entry.name;
    if (entry.kind === "file") files.set(path, await (entry as FileSystemFileHandle).getFile());
    else await collect(entry as FileSystemDirectoryHandle, `${path}/`, files);
  }
}

async function walk(entry: FileSystemEntry, way: string, files: Map<string, Blob>): Promise<void> {
  const path = way + entry.name;
  if (entry.isFile) {
    files.set(path, await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A browser gives some at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const inner of some) await walk(inner, `${path}/`, files);
  }
}

/** In the directory that was chosen, if one was. */
function pathOf(file: File): string {
  return file.webkitRelativePath || file.name;
}
