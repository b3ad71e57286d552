/** Archives and layouts made without the package: valid and malformed ones. */

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";

import { fresh } from "./native.mjs";

export const digestOf = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

export const blobPath = (digest) => `blobs/${digest.replace(":", "/")}`;

/** Returns one entry of a tar: a header, and content padded to a block. `type` is the typeflag of ustar. */
export function tarEntry({ name, content = "", type = "0", link = "", mode = type === "5" ? 0o755 : 0o644 }) {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  const octal = (value, at, length) =>
    header.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  header.write(name, 0, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(body.length, 124, 12);
  octal(1_600_000_000, 136, 12);
  header.write("        ", 148, "latin1");
  header.write(type, 156, "latin1");
  header.write(link, 157, "utf8");
  header.write("ustar\x0000", 257, "latin1");
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return Buffer.concat([header, body, Buffer.alloc(-body.length & 511)]);
}

export const tar = (entries) => Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);

export const LAYER = "application/vnd.oci.image.layer.v1.tar";
export const FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";

/** Returns a layer with these entries. */
export function layer(entries, { mediaType = `${LAYER}+gzip`, annotations, urls } = {}) {
  const plain = tar(entries);
  return {
    blob: mediaType.endsWith("+gzip") ? gzipSync(plain) : plain,
    diffId: digestOf(plain),
    mediaType,
    annotations,
    urls,
  };
}

/** Returns the files of a layout with one image, tagged `made`. */
export function layoutOf(layers) {
  const files = new Map([["oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  const put = (mediaType, bytes, more = {}) => {
    const digest = digestOf(bytes);
    files.set(blobPath(digest), bytes);
    return { mediaType, digest, size: bytes.length, ...more };
  };
  const json = (kind, value, more) =>
    put(`application/vnd.oci.image.${kind}.v1+json`, Buffer.from(JSON.stringify(value)), more);
  const descriptors = layers.map(({ blob, mediaType, annotations, urls }) =>
    put(mediaType, blob, { ...(annotations && { annotations }), ...(urls && { urls }) }),
  );
  const diffIds = layers.map(({ diffId }) => diffId);
  const config = json("config", {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: diffIds },
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const image = json(
    "manifest",
    { schemaVersion: 2, mediaType, config, layers: descriptors },
    {
      annotations: { "org.opencontainers.image.ref.name": "made" },
    },
  );
  files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [image] })));
  return files;
}

/** Returns a layout as an archive. */
export const archiveOf = (files) => tar([...files].map(([name, content]) => ({ name, content })));

/** Writes a layout to the disk, for the command. */
export function onDisk(files) {
  const layout = fresh("layout");
  for (const [path, bytes] of files) {
    const file = join(layout, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  return layout;
}

/** Returns the files of a layout on the disk, by path. */
export function filesOf(layout) {
  const files = readdirSync(layout, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map((entry) => {
      const file = join(entry.parentPath ?? entry.path, entry.name);
      return [relative(layout, file), readFileSync(file)];
    }),
  );
}
