/** Images on registries and web servers. Only the page `remote.html` opens them: its policy allows it. */
import { OcicleError, type Source } from "ocicle";

/** Whether this is that page. */
export const connects = document.documentElement.dataset["page"] === "remote";

/** Whether the name of a store is an address. */
export function isAddress(name: string | undefined): name is string {
  return name !== undefined && /^(docker|https?):\/\//.test(name);
}

/** The hosts that the policy allows without encryption. */
const LOCAL = ["localhost", "127.0.0.1"];

export async function sourceAt(address: string): Promise<Source> {
  if (!isAddress(address) || !URL.canParse(address)) {
    throw new OcicleError("misuse", "expected docker://HOST/REPOSITORY:TAG or https://HOST/PATH");
  }
  if (address.startsWith("docker:")) return address;
  const url = new URL(address);
  if (url.protocol === "http:" && !LOCAL.includes(url.hostname)) {
    throw new OcicleError("misuse", "this page opens https:// addresses, and http:// only on this machine");
  }
  return url;
}
