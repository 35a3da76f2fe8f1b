import { type Child, element } from "./element.js";

/** A framed part of the page under a heading, which also names it to screen readers; `beside` stands at the other end of the heading's line. */
export function card(title: string, { name = title, beside, kind = "" }: CardOptions, ...children: readonly Child[]): HTMLElement {
  const heading = element("h2", { class: "card-title" }, title);
  return element(
    "section",
    { class: kind === "" ? "card" : `card ${kind}`, "aria-label": name },
    beside === undefined ? heading : element("div", { class: "card-head" }, heading, beside),
    children,
  );
}

export interface CardOptions {
  /** What screen readers call it, when the heading alone says too little. */
  readonly name?: string;
  readonly beside?: Child;
  /** Further classes. */
  readonly kind?: string;
}
