/** Answers as texts that can be compared, and sent from a page. */

/** What is shown as it is, so that a difference can be read. */
const SHORT = 20_000;

/**
 * An answer: bytes, or an object for which `--json` prints the text. JSON is compared to the byte, but for two commands: `stat` prints manifest and
 * config as they are in the store, and `waste` has a number that JavaScript writes as 1, and others as 1.0.
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

/** What is JSON as this language would print it; errors are not. */
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
