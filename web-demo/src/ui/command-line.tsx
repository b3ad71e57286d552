import { useRef, useState } from "preact/hooks";
import { announce } from "../announce.ts";
import { Icon } from "./icon.tsx";

/** A command to be copied. */
export function CommandLine({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const code = useRef<HTMLElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Some pages may not; then it is one key more.
      if (code.current) getSelection()?.selectAllChildren(code.current);
      announce("The command is selected.");
      return;
    }
    announce("The command is copied.");
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <div class="command" role="group" aria-label="The same in a terminal">
      <code ref={code} tabIndex={0}>{text}</code>
      <button type="button" class="quiet" onClick={() => void copy()}>
        <Icon name={copied ? "verified" : "copy"} /> {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
