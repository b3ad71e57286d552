/** A second store, to compare images with. */
import { signal } from "@preact/signals";
import type { Source } from "ocicle";
import { announce } from "../announce.ts";
import { failureOf, type Failure } from "../failure.ts";
import { firstImage } from "../listing.ts";
import { openNamed, type Opened } from "../opened.ts";
import { go, route } from "../route.ts";

export const other = signal<Opened | undefined>(undefined);
export const otherRefusal = signal<{ name: string; failure: Failure } | undefined>(undefined);

export async function openOther(source: Source | Promise<Source>, name: string): Promise<void> {
  otherRefusal.value = undefined;
  try {
    const made = await openNamed(await source, name);
    other.value?.store.close();
    other.value = made;
    announce(`${name} is open, to compare with.`);
    const first = firstImage(made.listing);
    // The route may already refer to an image of this file.
    if (route.peek().beside !== name) go({ beside: name, against: first && made.addresses.get(first) });
  } catch (error) {
    otherRefusal.value = { name, failure: failureOf(error) };
  }
}
