/** The two file dialogs, and the field for addresses. */
import { useRef } from "preact/hooks";
import type { Source } from "ocicle";
import { chosen } from "../drop.ts";
import { connects } from "../remote.ts";
import { Address } from "./address.tsx";

export type OnChoose = (source: Source | Promise<Source>, name: string) => void;

function Picker({
  label,
  directory = false,
  onChoose,
}: {
  label: string;
  directory?: boolean;
  onChoose: OnChoose;
}) {
  const input = useRef<HTMLInputElement>(null);
  const change = () => {
    const found = input.current?.files && chosen(input.current.files);
    if (found) onChoose(...found);
    // Lets the same file be chosen again.
    if (input.current) input.current.value = "";
  };
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        class="hidden"
        tabIndex={-1}
        aria-label={label}
        onChange={change}
        {...(directory ? { webkitdirectory: true } : {})}
      />
    </>
  );
}

/** `what` begins the labels, such as "Open" in "Open file". */
export function Choose({ what, onChoose }: { what: string; onChoose: OnChoose }) {
  return (
    <div class="choose">
      {connects && <Address label={`${what} address`} onChoose={onChoose} />}
      <Picker label={`${what} file`} onChoose={onChoose} />
      <Picker label={`${what} directory`} directory onChoose={onChoose} />
    </div>
  );
}
