import type { OperatorFunction } from "rxjs";
import { requireOption } from "../core/errors.js";
import type { HistoryEntry, Sample } from "../core/sample.js";
import { STEPS } from "../workers/steps/steps.js";
import { chainStage } from "./chain-stage.js";
import type { OperatorLink } from "./operator-link.js";

/**
 * Runs a recorded history again, random operators with the parameters that they drew: the same bytes for the same case. For looking at what a sample went
 * through, one entry more at a time.
 *
 * @shape as recorded
 * @units as recorded
 * @label as recorded
 * @throws `ERR_OPTION` when an entry is of no step of the table
 * @example
 * loaded.pipe(replay(part.history)) // part: one of batch.parts
 */
export function replay(history: readonly HistoryEntry[]): OperatorFunction<Sample, Sample> {
  // Reading is not repeated: the flow brings the case as `load` made it.
  const links = history.filter(({ operator }) => operator !== "load").map(({ operator, params }): OperatorLink => ({ name: operator, params }));
  for (const { name } of links) requireOption(Object.hasOwn(STEPS, name), "replay", "history", `of the steps ${Object.keys(STEPS).join(", ")}`, name);
  return (source) => chainStage({ upstream: source, links });
}
