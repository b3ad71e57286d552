/** The field for an address of an image on a server. */
import { useRef } from "preact/hooks";
import { sourceAt } from "../remote.ts";
import type { OnChoose } from "./choose.tsx";

export function Address({ label, onChoose }: { label: string; onChoose: OnChoose }) {
  const input = useRef<HTMLInputElement>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const address = input.current?.value.trim();
    if (address) onChoose(sourceAt(address), address);
  };
  return (
    <form class="address" onSubmit={submit}>
      <input
        ref={input}
        type="text"
        aria-label="Address"
        placeholder="docker://HOST/REPOSITORY:TAG"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
      />
      <button type="submit">{label}</button>
    </form>
  );
}
