/** Converts answers to texts that can be compared, and sent from a page. */

/** Longer answers are compared by digest. */
const SHORT = 20_000;

/**
 * Converts an answer: bytes, or the object of a `--json` text. JSON is compared byte for byte, except for two
 * commands: `stat` prints manifest and config verbatim, and `waste` has a number that JavaScript writes as 1,
 * and Rust as 1.0.
 */
export async function said({ ask }, answer) {
  if (!(answer instanceof Uint8Array)) return short(new TextEncoder().encode(printed(answer)));
  return short(ask === "stat" || ask === "waste" ? new TextEncoder().encode(again(answer)) : answer);
}

export const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());

export async function sha256(bytes) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

const printed = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** Prints JSON again as JavaScript does; errors stay as they are. */
function again(bytes) {
  const text = new TextDecoder().decode(bytes);
  return text.startsWith("{") ? printed(JSON.parse(text)) : text;
}

async function short(bytes) {
  if (bytes.byteLength > SHORT) return `${bytes.byteLength} bytes, sha256:${await sha256(bytes)}`;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return hex(bytes);
  }
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
