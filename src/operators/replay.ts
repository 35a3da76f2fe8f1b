import type { OperatorFunction } from "rxjs";
import { requireOption } from "../core/errors.js";
import type { HistoryEntry, Sample } from "../core/sample.js";
import { findOwnStep, findStep } from "../workers/steps/find-step.js";
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
 * @source own
 * @example
 * samples.pipe(replay(part.history)) // part: one of batch.parts
 */
export function replay(history: readonly HistoryEntry[]): OperatorFunction<Sample, Sample> {
  // Reading is not repeated: the flow brings the case as `load` made it.
  const links = history
    .filter(({ operator }) => operator !== "load")
    .map(({ operator, params }): OperatorLink => ({ name: operator, params, ...findOwnStep(operator) }));
  for (const { name } of links) {
    const known = `of the steps ${Object.keys(STEPS).join(", ")}, or of your own that this program has built`;
    requireOption(findStep(name) !== undefined, "replay", "history", known, name);
  }
  // Steps without a module run on the graph thread, each as a stage of its own.
  if (links.some(({ step, module }) => step && !module))
    return (source) => links.reduce((flow, link) => chainStage({ upstream: flow, links: [link] }), source);
  return (source) => chainStage({ upstream: source, links });
}
