/** Brings the preview into view where it is below the tree, as on a phone. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** The path that was chosen in the tree, until its preview is in view. */
export const reveal = signal<string | undefined>(undefined);

/** The id of the tree. */
export const TREE = "tree";

/** The style sheets put the preview below the tree then. */
const narrow = matchMedia("(max-width: 52rem)");

/** Moves the focus to the heading of the chosen path, which is read out. Returns where the heading is. */
export function useReveal(path: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  const isWanted = reveal.value === path;
  useEffect(() => {
    if (!isWanted) return;
    reveal.value = undefined;
    if (narrow.matches) show(heading.current);
  }, [isWanted]);
  return heading;
}

/** Goes back to the tree, without changing the address, which holds the route. */
export function toTree(event: MouseEvent): void {
  event.preventDefault();
  show(document.getElementById(TREE));
}

function show(element: HTMLElement | null): void {
  element?.focus({ preventScroll: true });
  element?.scrollIntoView({ block: "start" });
}
