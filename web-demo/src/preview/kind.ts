/** Detects how to show a file. */
const PICTURES: [mime: string, starts: (bytes: Uint8Array) => boolean][] = [
  ["image/png", (bytes) => at(bytes, 0, "\x89PNG\r\n")],
  ["image/jpeg", (bytes) => at(bytes, 0, "\xff\xd8\xff")],
  ["image/gif", (bytes) => at(bytes, 0, "GIF8")],
  ["image/webp", (bytes) => at(bytes, 0, "RIFF") && at(bytes, 8, "WEBP")],
  ["image/avif", (bytes) => at(bytes, 4, "ftypavif")],
  ["image/bmp", (bytes) => at(bytes, 0, "BM") && at(bytes, 6, "\0\0\0\0")],
  ["image/x-icon", (bytes) => at(bytes, 0, "\0\0\x01\0")],
];

function at(bytes: Uint8Array, offset: number, text: string): boolean {
  return [...text].every((letter, index) => bytes[offset + index] === letter.charCodeAt(0));
}

/** Returns the media type of a picture that browsers can show. */
export function pictureType(path: string, bytes: Uint8Array): string | undefined {
  const found = PICTURES.find(([, starts]) => starts(bytes))?.[0];
  if (found) return found;
  const text = path.endsWith(".svg") ? decode(bytes.subarray(0, 4096)) : undefined;
  return text?.includes("<svg") ? "image/svg+xml" : undefined;
}

/** Whether bytes are UTF-8 without control characters. The last character may be incomplete. */
export function decode(bytes: Uint8Array): string | undefined {
  if (bytes.subarray(0, 65_536).includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

export type Look = "text" | "hex" | "picture";

export function bestLook(path: string, bytes: Uint8Array): Look {
  if (pictureType(path, bytes)) return "picture";
  return decode(bytes) === undefined ? "hex" : "text";
}
