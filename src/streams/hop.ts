import type { Demand } from "./demand.js";
import type { Item } from "./item.js";

/**
 * A hop is one synchronous `next()` call from a stage to the next stage. Plain operators that are synchronous and emit at most one item per item run
 * inside that one call, so they never hold an item, and the two fields below reach through them: `asking` while subscribing, `passing` while handing
 * over. They live on `globalThis` because two copies of this module would not see each other's hops.
 */
export interface Hop {
  asking: Demand | undefined;
  passing: Item<unknown> | undefined;
}

const KEY = Symbol.for("voxstream.hop.1");
const place = globalThis as { [KEY]?: Hop };
place[KEY] ??= { asking: undefined, passing: undefined };
const hop: Hop = place[KEY];

/** The demand of the stage that is subscribing right now. */
export function askingDemand(): Demand | undefined {
  return hop.asking;
}

/** The item that is being handed over right now. */
export function passingItem(): Item<unknown> | undefined {
  return hop.passing;
}

/** Runs `action` with the given demand and item visible to the stages that it reaches synchronously. */
export function inHop<R>(demand: Demand | undefined, item: Item<unknown> | undefined, action: () => R): R {
  const { asking, passing } = hop;
  hop.asking = demand;
  hop.passing = item;
  try {
    return action();
  } finally {
    hop.asking = asking;
    hop.passing = passing;
  }
}

/** Stage code runs outside any hop, so that a graph started inside a stage is independent of the one around it. */
export function outsideHops<R>(action: () => R): R {
  return inHop(undefined, undefined, action);
}
