import type { ComponentChildren } from "preact";
import { titleOf, type Failure } from "../failure.ts";
import { Icon } from "./icon.tsx";

interface Props {
  failure: Failure;
  about?: string;
  title?: string;
  children?: ComponentChildren;
}

/** An error message, shown where the error happened. */
export function Problem({ failure, about, title = titleOf(failure), children }: Props) {
  return (
    <div class="notice problem">
      <Icon name="failed" />
      <div>
        <strong>{about ? `${about}: ${title.charAt(0).toLowerCase()}${title.slice(1)}` : title}</strong>
        <p>{failure.message}</p>
        {children}
      </div>
    </div>
  );
}

export function Note({ children }: { children: ComponentChildren }) {
  return (
    <div class="notice">
      <Icon name="info" />
      <div>{children}</div>
    </div>
  );
}

export function Waiting({ children }: { children: ComponentChildren }) {
  return <p class="waiting">{children}</p>;
}
