/** Writes layouts and archives, valid or malformed. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

function header(name, size, type) {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write(type === "5" ? "0000755\0" : "0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("14524170000\0", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write("ustar\0" + "00", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** A tar of `[name, content]`; a name that ends with a slash is a directory. */
export function tar(entries) {
  const parts = [];
  for (const [name, content = ""] of entries) {
    const body = Buffer.from(content);
    parts.push(
      header(name, body.length, name.endsWith("/") ? "5" : "0"),
      body,
      Buffer.alloc(-body.length & 511),
    );
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

export function digest(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

const path = (hash) => `blobs/${hash.replace(":", "/")}`;

const GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

/**
 * A layout as a map of its files: one image, tagged `bad` or `big`; each layer
 * `{ tar, mediaType?, blob?, urls? }`.
 */
export function layout(tag, layers) {
  const files = new Map();
  /** `stored`: the content to write; `undefined` if the blob is to be absent. */
  const put = (bytes, mediaType, stored) => {
    if (stored !== undefined) files.set(path(digest(bytes)), stored);
    return { mediaType, digest: digest(bytes), size: bytes.length };
  };
  const document = (value, mediaType) => {
    const bytes = Buffer.from(JSON.stringify(value));
    return put(bytes, mediaType, bytes);
  };
  const descriptors = layers.map(({ tar: plain, mediaType = GZIP, blob = (gzip) => gzip, urls }) => {
    const gzip = gzipSync(plain);
    return { ...put(gzip, mediaType, blob(gzip)), ...(urls && { urls }) };
  });
  const config = {
    os: "linux",
    architecture: "amd64",
    rootfs: { type: "layers", diff_ids: layers.map((layer) => digest(layer.tar)) },
    history: layers.map((_, at) => ({ created_by: `layer ${at + 1}` })),
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: document(config, "application/vnd.oci.image.config.v1+json"),
    layers: descriptors,
  };
  const entry = document(manifest, manifest.mediaType);
  const index = {
    schemaVersion: 2,
    manifests: [{ ...entry, annotations: { "org.opencontainers.image.ref.name": tag } }],
  };
  files.set("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  files.set("index.json", Buffer.from(JSON.stringify(index)));
  return files;
}

export function archive(files) {
  return tar(files);
}

export function writeLayout(files, directory) {
  for (const [name, content] of files) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  return directory;
}
