/** Quotes words for a POSIX shell. */

/** Control and formatting characters, which a terminal may act on and a reader cannot see. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const PLAIN = /^[\w@%+:,./-][\w@%+=:,./#~-]*$/;

export function quote(word: string): string {
  if (UNSEEN.test(word)) return printed([...word].map(escaped).join(""));
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Quotes a path of the package, which is escaped if it has a backslash: with the escapes of printf(1). */
export function quotePath(path: string): string {
  if (!path.includes("\\")) return quote(path);
  // A substitution loses line ends at its end.
  return printed(path.endsWith("\\012") ? `${path}/.` : path);
}

function escaped(character: string): string {
  if (character === "\\") return "\\\\";
  if (!UNSEEN.test(character)) return character;
  const bytes = [...new TextEncoder().encode(character)];
  return bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

function printed(format: string): string {
  const safe = format.replaceAll("%", "%%").replace(/['!]|^-/g, escapedSign);
  return `"$(printf '${safe}')"`;
}

/** Escapes an ASCII character. */
function escapedSign(sign: string): string {
  return `\\${sign.charCodeAt(0).toString(8).padStart(3, "0")}`;
}
