import type { Json } from "../../core/json.js";

const KEY = "$number";

/** A value as text for the other ranks; numbers that are not finite, which JSON would turn to null, survive. */
export function encodeMessage(value: Json): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "number" && !Number.isFinite(inner) ? { [KEY]: String(inner) } : inner));
}

export function decodeMessage<T extends Json>(text: string): T {
  return JSON.parse(text, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && KEY in inner ? Number((inner as Record<string, unknown>)[KEY]) : inner,
  ) as T;
}
