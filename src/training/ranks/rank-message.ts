import type { Json } from "../../core/json.js";

const KEY = "$number";

/** Values as text for the other ranks; numbers that are not finite, which JSON would turn to null, survive. */
export const rankMessage = {
  encode: (value: Json): string =>
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "number" && !Number.isFinite(inner) ? { [KEY]: String(inner) } : inner)),
  decode: <T extends Json>(text: string): T =>
    JSON.parse(text, (_, inner: unknown) =>
      typeof inner === "object" && inner !== null && KEY in inner ? Number((inner as Record<string, unknown>)[KEY]) : inner,
    ) as T,
};
