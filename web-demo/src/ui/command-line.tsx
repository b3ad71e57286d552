import { useRef, useState } from "preact/hooks";
import { announce } from "../announce.ts";
import type { Command } from "../command.ts";
import { Icon } from "./icon.tsx";

/** A command line with a button that copies it. */
export function CommandLine({ text, more }: Command) {
  const [copied, setCopied] = useState(false);
  const code = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Where the page may not write to the clipboard, the user presses the copy keys.
      if (code.current) getSelection()?.selectAllChildren(code.current);
      announce("Command selected.");
      return;
    }
    announce("Command copied.");
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <div class="command" role="group" aria-label="Command line">
      <code ref={code} tabIndex={0}>
        {text}
      </code>
      {more !== undefined && <small class="faint">prints {more}</small>}
      <button type="button" class="quiet" onClick={() => void copy()}>
        <Icon name={copied ? "verified" : "copy"} /> {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
