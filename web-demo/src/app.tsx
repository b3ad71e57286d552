import { announcement } from "./announce.ts";
import { dragging } from "./drop.ts";
import { refusalOf } from "./failure.ts";
import { shown } from "./image.ts";
import { isWaiting, opened, opening, refusal } from "./session.ts";
import { Bar } from "./shell/bar.tsx";
import { DropZone } from "./shell/drop-zone.tsx";
import { Images } from "./shell/images.tsx";
import { Main } from "./shell/main.tsx";
import { Missing } from "./shell/missing.tsx";
import { Problem, Waiting } from "./ui/notice.tsx";

export function App() {
  const store = opened.value;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the image
      </a>
      <Bar />
      {refusal.value && (
        <section class="band" aria-label="Error while opening">
          <Problem
            failure={refusal.value.failure}
            about={refusal.value.name}
            title={refusalOf(refusal.value.failure)}
          >
            {store && <p class="faint">{store.name} is still open.</p>}
            <button type="button" class="quiet" onClick={() => (refusal.value = undefined)}>
              Dismiss
            </button>
          </Problem>
        </section>
      )}
      {(store === undefined || store.isSample) && <DropZone />}
      {store && isWaiting.value && <Missing />}
      <div class="body">
        {store ? <Images store={store} /> : <Waiting>Opening {opening.value} …</Waiting>}
        {store && !isWaiting.value && shown.value && <Main store={store} shown={shown.value} />}
      </div>
      {dragging.value && <div class="dropping">Drop it anywhere</div>}
      <p class="hidden" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </>
  );
}

/** Moves the focus without changing the address, which holds the route. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
