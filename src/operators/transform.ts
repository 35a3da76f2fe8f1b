import { createHash } from "node:crypto";
import type { OperatorFunction } from "rxjs";
import { requireOption } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { Random } from "../core/random.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Sample } from "../core/sample.js";
import { findOwnStep, rememberStep } from "../workers/steps/find-step.js";
import type { Step, StepWork } from "../workers/steps/step.js";
import { completeStep, moduleSource, type StepSource } from "../workers/steps/step-module.js";
import { STEPS } from "../workers/steps/steps.js";
import { chainStage } from "./chain-stage.js";
import { chainOf, type DrawSubject, describeOperator, type OperatorLink } from "./operator-link.js";

/** What `apply` gets: the image is always there. */
export type ImageWork<P> = StepWork<P> & { readonly image: NonNullable<StepWork<P>["image"]> };

export interface TransformOptions<P = Json> {
  /** Name of the operator: stands in histories, bundles and stages. One of the built-in steps, unless `apply` or `step` is given. */
  readonly name: string;
  /** Options as plain JSON; without `draw` also what the work gets. Default none. */
  readonly parameters?: Json | object;
  /** The work: rewrites the image in place, voxel by voxel (`image.output` may be `image.input`). */
  readonly apply?: (work: ImageWork<P>, parameters: P) => void;
  /** In place of `apply`, for what also changes the label, shape or place: a step with `plan`, and an `inverse` where voxels move. */
  readonly step?: StepSource<P>;
  /** Makes the operator random: draws the parameters for one sample. Undefined leaves the sample as it is. */
  readonly draw?: (random: Random, subject: DrawSubject) => P | undefined;
  /**
   * `import.meta.url` of the module that exports the work: then it runs in worker threads, inside `cached(...)` (its key holds the hash of the module and
   * of what that imports by relative path), and in bundles. The module is loaded in every thread, so it should do nothing but export.
   */
  readonly module?: string;
  /** Name under which the module exports it. Default: the name of the function `apply`. */
  readonly export?: string;
}

/**
 * Builds a 1:1 operator on samples: one of the built-in steps, or work of your own. Operators that follow each other directly are fused: one stage, one
 * worker task, one set of buffers. Work without a module runs on the graph thread and cannot be cached.
 *
 * @shape as the step; `apply` alone keeps it
 * @units as the step
 * @label as the step; `apply` alone leaves it unchanged
 * @throws `ERR_OPTION` when the name is not in the table and no work is given, or in the table although it is; `ERR_READ` when the module is not there;
 * with the sample `ERR_WORKER` when it does not load or has no such export
 * @source own; docs/decisions.md 28
 * @example
 * export const halve = ({ image }, { factor }) => image.input.forEach((x, i) => { image.output[i] = x * factor; });
 * export const half = () => transform({ name: "half", parameters: { factor: 0.5 }, apply: halve, module: import.meta.url });
 */
export function transform<P = Json>(options: TransformOptions<P>): OperatorFunction<Sample, Sample> {
  requireKnownOptions("transform", options, ["name", "parameters", "apply", "step", "draw", "module", "export"]);
  const { name, parameters = {}, draw } = options;
  requireOption(typeof name === "string" && name !== "", "transform", "name", "a name", name);
  const own = ownStep(options);
  // A step is only ever called with the parameters that its own operator wrote.
  const link: OperatorLink = { name, params: parameters as Json, ...(draw && { draw: draw as OperatorLink["draw"] & object }), ...own };
  return describeOperator(
    (source) => {
      const chain = chainOf(source);
      // Steps on the graph thread and steps in a worker cannot share a task.
      const prolongs = chain !== undefined && !isInline(link) && !chain.links.some(isInline);
      return chainStage(prolongs ? { ...chain, links: [...chain.links, link] } : { upstream: source, links: [link] });
    },
    { link },
  );
}

function isInline({ step, module }: OperatorLink): boolean {
  return step !== undefined && !module;
}

function ownStep<P>({ name, apply, step, module, export: exported }: TransformOptions<P>): Pick<OperatorLink, "step" | "module"> {
  const isBuiltIn = Object.hasOwn(STEPS, name);
  const source = apply ?? step;
  if (source === undefined) {
    // A step that a bundle or a module has brought is known by its name from then on.
    const known = findOwnStep(name);
    requireOption(isBuiltIn || known !== undefined, "transform", "name", `one of ${Object.keys(STEPS).join(", ")}, or come with apply or step`, name);
    return known && !isBuiltIn ? known : {};
  }
  requireOption(!isBuiltIn, "transform", "name", "one that no built-in step has", name);
  requireOption(apply === undefined || step === undefined, "transform", "apply", "given without step", apply);
  requireOption(
    typeof source === "function" || typeof (source as { readonly apply?: unknown } | null)?.apply === "function",
    "transform",
    apply === undefined ? "step" : "apply",
    "a function, or a step with the function apply",
    source,
  );
  const completed = completeStep(source) as unknown as Step<Json>;
  const found =
    module === undefined
      ? { step: completed }
      : { step: completed, module: moduleOf(module, exported ?? (source as { readonly name?: string }).name) };
  rememberStep(name, found);
  return found;
}

function moduleOf(url: string, name: string | undefined): OperatorLink["module"] & object {
  requireOption(typeof url === "string" && url.startsWith("file:"), "transform", "module", "a file: URL, such as import.meta.url", url);
  requireOption(typeof name === "string" && name !== "", "transform", "export", "the name that the module exports the work by", name);
  const hash = createHash("sha256").update(name).update(moduleSource(url)).digest("hex");
  return { url, export: name, hash };
}
