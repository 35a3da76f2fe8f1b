import { readGpus } from "../../core/read-gpus.js";
import type { EngineName } from "../../engine/index.js";
import type { LaunchedRanks } from "./launched-ranks.js";

/**
 * What is to be said when ranks of a machine compute on the same graphics card; undefined when each has its own, or the engine uses none.
 *
 * @param cards how many the machine has; undefined where nobody knows
 */
export function sharedCards(
  { localSize }: LaunchedRanks,
  engine: EngineName,
  listed: string | undefined,
  cards: number | undefined,
): string | undefined {
  if (localSize === 1 || engine !== "tensorflow-gpu") return undefined;
  const given = listed?.split(",").length;
  if (given !== undefined) {
    if (given >= localSize) return undefined;
    return `${localSize} ranks of this machine are given ${plural(given)} (CUDA_VISIBLE_DEVICES): they share, unless the scheduler gives each rank cards of its own`;
  }
  return cards !== undefined && cards < localSize ? `${localSize} ranks of this machine share ${plural(cards)}` : undefined;
}

/** How many graphics cards the machine has, where that matters; undefined where it does not, or nobody knows. */
export async function cardsFor({ localSize }: LaunchedRanks, read = readGpus): Promise<number | undefined> {
  return localSize === 1 ? undefined : (await read())?.length;
}

function plural(cards: number): string {
  return cards === 1 ? "one graphics card" : `${cards} graphics cards`;
}
