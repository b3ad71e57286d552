/** Converts the sources that callers pass to the origin that workers read. */

import { expected, text } from "./arguments.js";
import { OcicleError } from "./error.js";
import type { Origin, Part } from "./part.js";
import type { Source } from "./types.js";
import { UNREADABLE } from "./unreadable.js";

const aFile = expected("a File", (value) => value instanceof Blob && "name" in value);
const bytes = expected(
  "a Blob or Uint8Array",
  (value) => value instanceof Blob || value instanceof Uint8Array,
);
const transfer = expected(
  "a DataTransfer",
  (value) => value instanceof Object && "items" in value && "files" in value,
);

/** The file that marks a directory as an OCI layout. */
const MARKER = "oci-layout";

/** Returns whether a source is a repository of a registry, as text. */
export function isRegistry(source: string): boolean {
  return source.startsWith("docker://");
}

export async function originOf(source: Source, signal?: AbortSignal): Promise<Origin> {
  const address = source instanceof URL ? source.href : source;
  if (typeof address === "string" && isRegistry(address)) return { registry: address };
  if (typeof source === "string") {
    throw new OcicleError("misuse", "a browser cannot open a path: expected a File or a URL");
  }
  if (source instanceof Blob) return { archive: { blob: source } };
  if (source instanceof ArrayBuffer) return { archive: { bytes: new Uint8Array(source) } };
  if (source instanceof Uint8Array) return { archive: { bytes: source } };
  if (source instanceof URL) return originAt(source, signal);
  if (source instanceof Map) {
    for (const [path, content] of source) {
      text(path, "a path of the source");
      bytes(content, path);
    }
    return layout(source as ReadonlyMap<string, Blob | Uint8Array>);
  }
  if (isHandle(source)) {
    if (isFile(source)) return { archive: { blob: await source.getFile() } };
    const files = new Map<string, Blob>();
    await collect(source as FileSystemDirectoryHandle, "", files);
    return layout(files);
  }
  if (!isList(source)) {
    throw new OcicleError("misuse", "expected a File or other archive, a URL, or the files of an OCI layout");
  }
  const files = [...source];
  files.forEach((file, at) => aFile(file, `the source, at ${at}`));
  const [first] = files;
  if (first === undefined) throw new OcicleError("misuse", "the list of files is empty");
  if (files.length === 1 && pathOf(first) === first.name) return { archive: { blob: first } };
  return layout(new Map(files.map((file) => [pathOf(file), file])));
}

/**
 * Returns the files and directories that were dropped or pasted. Call it in the event handler, before the
 * first `await`: the browser clears the data then.
 */
export async function fromDataTransfer(data: DataTransfer): Promise<Source> {
  transfer(data, "data");
  const entries = [...data.items].map((item) => (item.kind === "file" ? item.webkitGetAsEntry() : null));
  const plain = [...data.files];
  const found = entries.filter((entry) => entry !== null);
  if (found.every((entry) => entry.isFile)) {
    if (plain.length === 0) throw new OcicleError("misuse", "no file or directory was dropped");
    return plain;
  }
  const files = new Map<string, Blob>();
  for (const entry of found) await walk(entry, "", files);
  return files;
}

/** Finds the OCI layout among the files of a directory; files outside of it are ignored. */
function layout(files: ReadonlyMap<string, Blob | Uint8Array>): Origin {
  const markers = [...files.keys()].filter((path) => path === MARKER || path.endsWith(`/${MARKER}`));
  const [marker, another] = markers.sort((a, b) => a.length - b.length);
  if (marker === undefined) {
    throw new OcicleError(
      "notFound",
      `no ${MARKER} among these ${files.size} files: expected the directory of an OCI layout, or one archive`,
    );
  }
  if (another?.length === marker.length) {
    const found = markers.join(", ");
    throw new OcicleError("ambiguous", `the directory has several OCI layouts (${found}): open one of them`);
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
  const headers = { Range: "bytes=0-0" };
  const response = await fetch(url, { headers, ...(signal && { signal }) }).catch((error: unknown) => {
    signal?.throwIfAborted();
    // Node has the cause; a browser hides it.
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : UNREADABLE;
    throw new OcicleError("io", `${url.href}: ${why}`, { cause: error });
  });
  await response.body?.cancel();
  if (!response.ok) throw new OcicleError("io", `${url.href}: the server answered ${response.status}`);
  const size = /\/(\d+)$/.exec(response.headers.get("Content-Range") ?? "")?.[1];
  if (response.status !== 206 || size === undefined) {
    throw new OcicleError(
      "unsupported",
      `${url.href}: the server does not support Range requests, or hides Content-Range from this page`,
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

function isFile(handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === "file";
}

type Files = Map<string, Blob>;

async function collect(directory: FileSystemDirectoryHandle, prefix: string, files: Files): Promise<void> {
  const entries = (directory as unknown as { values(): AsyncIterable<FileSystemHandle> }).values();
  for await (const entry of entries) {
    const path = prefix + entry.name;
    if (isFile(entry)) files.set(path, await entry.getFile());
    else await collect(entry as FileSystemDirectoryHandle, `${path}/`, files);
  }
}

async function walk(entry: FileSystemEntry, prefix: string, files: Files): Promise<void> {
  const path = prefix + entry.name;
  if (entry.isFile) {
    const file = new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    files.set(path, await file);
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // Returns some entries at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return;
    for (const inner of some) await walk(inner, `${path}/`, files);
  }
}

/** Returns the path in the chosen directory, or the name of a single file. */
function pathOf(file: File): string {
  return file.webkitRelativePath || file.name;
}
