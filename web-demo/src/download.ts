/** Saves bytes as a file. */
export function download(
  content: Uint8Array | string,
  name: string,
  type = "application/octet-stream",
): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has its own reference to the blob once the click is handled.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function downloadJson(value: unknown, name: string): void {
  download(`${JSON.stringify(value, null, 2)}\n`, name, "application/json");
}
