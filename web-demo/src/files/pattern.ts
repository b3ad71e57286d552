/**
 * Returns the pattern for `ocicle find` of a searched text: `*` and `?` stand for other characters, and all
 * others for themselves. A text without them may be anywhere in the name.
 */
export function patternOf(text: string): string {
  const pattern = text.replace(/^!|[\\[{]/g, "\\$&");
  return /[*?]/.test(text) ? pattern : `*${pattern}*`;
}
