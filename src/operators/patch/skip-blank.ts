import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Margin, Sample } from "../../core/sample.js";
import type { Triple } from "../../core/shape.js";
import { skipWhen } from "../../streams/stages/skip-when.js";
import { keyOperator } from "../operator-link.js";
import { NO_MARGIN, patchesOf, tagPatches } from "./patch-reach.js";
import { readBox } from "./read-box.js";

export interface SkipBlankOptions {
  /** The label that counts as blank. Default 0, background. */
  readonly class?: number;
  /** A sample is left out when no more than this share of its voxels has another label. Default 0: when all voxels have it. */
  readonly minimalFraction?: number;
}

/**
 * Leaves out samples without foreground; they are counted and reported as skipped, not failed. Samples without a label map pass.
 * To get as many patches as asked for, draw again instead: `patch({ attempts })`, or draw around labels: `patch({ foreground })`.
 *
 * @shape unchanged
 * @units none
 * @label looked at; a patch's margin does not count
 * @throws `ERR_OPTION` when the class is no label or the share is not in 0 to below 1
 * @source MIScnn 1.4, `patchwise_skip_blanks`
 * @example
 * patches.pipe(skipBlank({ minimalFraction: 0.001 }))
 */
export function skipBlank(options: SkipBlankOptions = {}): OperatorFunction<Sample, Sample> {
  requireKnownOptions("skipBlank", options, ["class", "minimalFraction"]);
  const { class: blank = 0, minimalFraction = 0 } = options;
  requireOption(Number.isSafeInteger(blank) && blank >= 0 && blank <= 65535, "skipBlank", "class", "a label", blank);
  requireOption(minimalFraction >= 0 && minimalFraction < 1, "skipBlank", "minimalFraction", "in 0 to below 1", minimalFraction);
  const skip = skipWhen<Sample>(
    (sample) => {
      if (!sample.label) return undefined;
      const share = foregroundShare(sample.label, sample.margin, blank);
      return share > minimalFraction ? undefined : `no foreground: ${(100 * share).toPrecision(3)} % of its voxels are not of class ${blank}`;
    },
    { name: "skipBlank" },
  );
  const operator: OperatorFunction<Sample, Sample> = (source) => {
    const patches = patchesOf(source);
    const flow = skip(source);
    return patches ? tagPatches(flow, (reach) => skip(patches(reach))) : flow;
  };
  return keyOperator(operator, ["skipBlank", { class: blank, minimalFraction }]);
}

function foregroundShare(label: NonNullable<Sample["label"]>, [before, after]: Margin = NO_MARGIN, blank: number): number {
  const [depth, height, width, channels] = label.shape;
  const size: Triple = [depth - before[0] - after[0], height - before[1] - after[1], width - before[2] - after[2]];
  const voxels = size[0] * size[1] * size[2];
  const labels = label.dtype === "uint8" ? new Uint8Array(voxels * channels) : new Uint16Array(voxels * channels);
  readBox<"uint8" | "uint16">(label, before, size, labels, 0);
  let others = 0;
  if (channels === 1) for (let i = 0; i < voxels; i++) others += labels[i] === blank ? 0 : 1;
  else for (let i = 0; i < voxels; i++) others += labels[i * channels + blank] ? 0 : 1;
  return others / voxels;
}
