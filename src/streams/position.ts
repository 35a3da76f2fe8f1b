import type { Json } from "../core/json.js";

/** Where to resume a graph: the state of each stateful stage under its name. Plain JSON, travels with every item. */
export type Position = Readonly<Record<string, Json>>;
