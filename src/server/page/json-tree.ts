import type { Json } from "../../core/json.js";
import { element } from "./element.js";

/** A JSON value as nested, foldable lists; short lists of plain values stand on one line. */
export function jsonTree(value: Json | undefined, depth = 0): HTMLElement {
  if (value === null || value === undefined || typeof value !== "object")
    return element("span", { class: `json-${value === null ? "null" : typeof value}` }, plain(value));
  const entries = Object.entries(value);
  if (entries.length === 0) return element("span", { class: "json-null" }, Array.isArray(value) ? "empty list" : "empty");
  if (Array.isArray(value) && value.every((item) => item === null || typeof item !== "object"))
    return element("span", { class: "json-list" }, value.map(plain).join(", "));
  const list = element(
    "dl",
    { class: "json" },
    entries.slice(0, 500).map(([key, item]) => {
      const isDeep =
        typeof item === "object" &&
        item !== null &&
        Object.keys(item).length > 0 &&
        !(Array.isArray(item) && item.every((inner) => inner === null || typeof inner !== "object"));
      if (isDeep && depth < 6)
        return element(
          "div",
          { class: "json-group" },
          element("details", { open: depth < 2 }, element("summary", {}, key), jsonTree(item, depth + 1)),
        );
      return element(
        "div",
        { class: "json-entry" },
        element("dt", {}, key),
        element("dd", {}, isDeep ? JSON.stringify(item) : jsonTree(item, depth + 1)),
      );
    }),
  );
  return list;
}

function plain(value: Json | undefined): string {
  if (value === undefined || value === null) return "none";
  if (typeof value === "number" && !Number.isInteger(value)) return String(+value.toPrecision(6));
  return String(value);
}
