import type { OperatorFunction } from "rxjs";
import { requireOption } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { Random } from "../core/random.js";
import type { Sample } from "../core/sample.js";
import type { Step } from "../workers/steps/step.js";
import { STEPS } from "../workers/steps/steps.js";
import { chainStage } from "./chain-stage.js";
import { chainOf, type DrawSubject, describeOperator, type OperatorLink } from "./operator-link.js";

export interface TransformOptions<P = Json> {
  /** Name of the operator and, unless `step` is given, of its step in the table of steps. */
  readonly name: string;
  /** Options as plain JSON; for a deterministic operator also the parameters of its step. */
  readonly params: Json;
  /** Makes the operator random: draws the step's parameters for one sample. Undefined leaves the sample as it is. */
  readonly draw?: (random: Random, subject: DrawSubject) => P | undefined;
  /** A step of your own. It runs on the graph thread, since worker threads know only the steps of the table. */
  readonly step?: Step<P>;
}

/**
 * Builds a 1:1 operator on samples from a step. Operators that follow each other directly are fused: one stage, one worker task, one set of buffers.
 *
 * @throws `ERR_OPTION` when the name is not in the table and no step is given
 * @example
 * const half = transform({ name: "half", params: {}, step: { plan: (layout) => inPlacePlan(layout), apply: ({ image }) => image?.input.forEach((x, i) => { image.output[i] = x / 2; }) } });
 */
export function transform<P = Json>({ name, params, draw, step }: TransformOptions<P>): OperatorFunction<Sample, Sample> {
  requireOption(
    step !== undefined || Object.hasOwn(STEPS, name),
    "transform",
    "name",
    `one of ${Object.keys(STEPS).join(", ")}, or come with a step`,
    name,
  );
  // A step is only ever called with the parameters that its own operator wrote.
  const link: OperatorLink = {
    name,
    params,
    ...(draw && { draw: draw as OperatorLink["draw"] & object }),
    ...(step && { step: step as unknown as Step<Json> }),
  };
  return describeOperator(
    (source) => {
      const chain = chainOf(source);
      // Steps on the graph thread and steps in a worker cannot share a task.
      const prolongs = chain !== undefined && !step && chain.links.every((before) => !before.step);
      return chainStage(prolongs ? { ...chain, links: [...chain.links, link] } : { upstream: source, links: [link] });
    },
    { link },
  );
}
