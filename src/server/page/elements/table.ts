import { type Child, element } from "./element.js";

/** The head of a column: its text, or a finished cell. */
export type ColumnHead = string | HTMLElement;

export interface TableOptions {
  readonly heads: readonly ColumnHead[];
  /** Indices of the columns of numbers, which stand at the right edge. */
  readonly numbers?: readonly number[];
  readonly kind?: string;
  /** What the table is about, for screen readers, where no heading of its own says it. */
  readonly caption?: string;
}

/** A table that scrolls by itself when the page is too narrow, or becomes a list of cards with the class `responsive`. */
export function table({ heads, numbers = [], kind = "responsive", caption }: TableOptions, ...rows: readonly Child[]): HTMLElement {
  const cells = heads.map((head, i) =>
    typeof head === "string" ? element("th", { scope: "col", class: numbers.includes(i) ? "right" : undefined }, head) : head,
  );
  return element(
    "div",
    { class: "table-scroll" },
    element(
      "table",
      { class: kind },
      caption === undefined ? undefined : element("caption", { class: "hidden-text" }, caption),
      element("thead", {}, element("tr", {}, cells)),
      rows,
    ),
  );
}
