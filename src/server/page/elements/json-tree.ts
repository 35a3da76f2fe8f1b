import type { Json } from "../../../core/json.js";
import { element } from "./element.js";
import { formatBytes } from "./format.js";

const MOST_ENTRIES = 500;
const DEEPEST = 8;

/** A JSON value as nested, foldable lists; lists of plain values stand on one line. */
export function jsonTree(value: Json | undefined, { open = 1, depth = 0, key = "" } = {}): HTMLElement {
  if (isPlain(value)) return element("span", { class: value === null || value === undefined ? "json-null" : "" }, plain(value, key));
  const entries = Object.entries(value as object) as [string, Json | undefined][];
  if (entries.length === 0) return element("span", { class: "json-null" }, "none");
  if (Array.isArray(value) && value.every(isPlain)) return element("span", {}, value.map((item) => plain(item, key)).join(", "));
  return element(
    "dl",
    { class: "json" },
    entries.slice(0, MOST_ENTRIES).map(([name, item]) => {
      const isFolded = !isPlain(item) && !(Array.isArray(item) && item.every(isPlain)) && Object.keys(item as object).length > 0;
      const title = Array.isArray(value) ? titleOfItem(item, Number(name)) : name;
      if (!isFolded)
        return element(
          "div",
          { class: "json-entry" },
          element("dt", {}, title),
          element("dd", {}, jsonTree(item, { open, depth: depth + 1, key: name })),
        );
      if (depth >= DEEPEST) return element("div", { class: "json-entry" }, element("dt", {}, title), element("dd", {}, JSON.stringify(item)));
      const inner = jsonTree(item, { open, depth: depth + 1, key: name });
      return element("div", { class: "json-group" }, element("details", { open: depth < open }, element("summary", {}, title), inner));
    }),
  );
}

function isPlain(value: Json | undefined): boolean {
  return value === null || value === undefined || typeof value !== "object";
}

/** `2. clip`: most lists of objects are steps with a name. */
function titleOfItem(item: Json | undefined, index: number): string {
  const name = typeof item === "object" && item !== null && !Array.isArray(item) ? (item as Record<string, Json>).name : undefined;
  return typeof name === "string" ? `${index + 1}. ${name}` : `${index + 1}`;
}

function plain(value: Json | undefined, key: string): string {
  if (value === undefined || value === null) return "none";
  if (typeof value === "number" && /bytes$/i.test(key)) return formatBytes(value);
  if (typeof value === "number" && !Number.isInteger(value)) return String(+value.toPrecision(6));
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}
