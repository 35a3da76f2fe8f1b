import type { RunEvent } from "../../core/run-events.js";

type CasesEvent = Extract<RunEvent, { readonly type: "cases" }>;

/** Epochs and scores that are remembered of a run, whatever its length and the number of its cases. */
const MOST_EPOCHS = 100;
const MOST_SCORES = 20_000;

/** The scores of whole cases after one more epoch; every other of the epochs between the first and the last two goes when there are too many. */
export function moreCases(before: readonly CasesEvent[], event: CasesEvent): readonly CasesEvent[] {
  let all = [...before.filter(({ epoch }) => epoch < event.epoch), event];
  while (all.length > 3 && (all.length > MOST_EPOCHS || scoresOf(all) > MOST_SCORES)) {
    const { length } = all;
    all = all.filter((_, i) => i % 2 === 0 || i >= length - 2);
  }
  return all;
}

function scoresOf(all: readonly CasesEvent[]): number {
  return all.reduce((sum, { cases }) => sum + cases.reduce((count, { dice }) => count + Object.keys(dice).length, 0), 0);
}
