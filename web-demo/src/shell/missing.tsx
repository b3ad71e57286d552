/** Says how to open the store that a link refers to. */
import { connects, isAddress } from "../remote.ts";
import { route } from "../route.ts";
import { opening, refusal } from "../session.ts";
import { Note } from "../ui/notice.tsx";

export function Missing() {
  const name = route.value.store;
  // It is being opened, or the reason why it is not is on the screen.
  if (name === opening.value || name === refusal.value?.name) return null;
  return (
    <section class="band" aria-label="Link to another file">
      <Note>
        This link refers to <strong>{name}</strong>.{" "}
        {!isAddress(name) && "Open that file to continue."}
        {isAddress(name) && !connects && (
          <>
            This page opens no connections; <a href={`./remote.html${location.hash}`}>another page</a> does.
          </>
        )}
      </Note>
    </section>
  );
}
