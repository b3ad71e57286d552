import { opened, opening, openSource } from "../session.ts";
import { THEMES, theme, type Theme } from "../theme.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Choose } from "./choose.tsx";

/** The icon of the page. */
const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]")?.href;

const ICONS: Record<Theme, IconName> = { auto: "auto", light: "sun", dark: "moon" };

export function Bar() {
  const store = opened.value;
  return (
    <header class="bar">
      <span class="brand">
        <img src={icon} alt="" width="26" height="26" /> ocicle
      </span>
      <span class="store">
        {opening.value && store ? (
          <span class="faint">Opening {opening.value} …</span>
        ) : (
          store && (
            <>
              <strong>{store.name}</strong>{" "}
              <span class="faint">{store.isSample ? "built-in sample" : store.store.kind}</span>
            </>
          )
        )}
      </span>
      {store && !store.isSample && <Choose what="Open" onChoose={openSource} />}
      <ThemeButton />
    </header>
  );
}

function ThemeButton() {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
  return (
    <button
      type="button"
      class="quiet"
      title={`Colours: ${theme.value}`}
      aria-label={`Colours: ${theme.value}; change to ${next}`}
      onClick={() => (theme.value = next)}
    >
      <Icon name={ICONS[theme.value]} />
    </button>
  );
}
