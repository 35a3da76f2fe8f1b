import type { OperatorFunction } from "rxjs";
import type { Json } from "../../core/json.js";
import type { Sample } from "../../core/sample.js";
import type { AugmentParams } from "../../workers/steps/augment-step.js";
import { chainStage } from "../chain-stage.js";
import { chainOf, describeOperator, type OperatorLink } from "../operator-link.js";
import { patchesOf } from "../patch/patch-reach.js";
import type { AugmentOptions } from "./augment-options.js";
import { augmentPlan } from "./augment-plan.js";
import { augmentReach } from "./augment-reach.js";
import { drawAugment } from "./draw-augment.js";
import { repeatCycles } from "./repeat-cycles.js";

/**
 * Changes training samples at random: mirror, rotation, scaling, translation and elastic deformation in one interpolation, then the intensity techniques on
 * the patch. Defaults are MIScnn's, `preset: "nnunet"` takes nnU-Net's; both in corrected forms: voxels from outside the image become background and not an
 * empty one-hot vector, centers lie on half voxels, gamma keeps mean and deviation together, rotation happens in mm, so that anisotropic voxels turn without
 * shear. In validation and prediction samples pass unchanged.
 *
 * Behind `patch` (with at most `skipBlank` between) it sees beyond the patch's border: each patch is cut as wide as its own draw needs, no wider than the
 * case, and sampled once. What was drawn stands in `sample.history`; `replay` repeats it.
 *
 * @shape image (D, H, W, C) → same, less the patch's margin; n times as many samples with `cycles: n`
 * @units intensities as they come; noise deviation in their units
 * @label goes along when voxels move; background from outside; never gains a label
 * @throws `ERR_OPTION` for an unknown option or preset (with the nearest), a probability outside 0..1, a range that is not ascending and valid
 * @source MIScnn 1.4 and batchgenerators (parameters and order); nnU-Net, Isensee et al. 2021, supplementary note 4
 * @example
 * patches.pipe(augment({ mirror: true, elastic: { alpha: [0, 200] } }))
 * @example
 * patches.pipe(augment({ preset: "nnunet", rotation: { degrees: 10 }, lowResolution: false }))
 */
export function augment(options: AugmentOptions = {}): OperatorFunction<Sample, Sample> {
  const plan = augmentPlan(options);
  const link: OperatorLink = {
    name: "augment",
    // The plan and what it draws are plain data.
    params: plan as unknown as Json,
    draw: (random, subject) => drawAugment(plan, random, subject) as AugmentParams as unknown as Json,
  };
  return describeOperator(
    (source) => {
      const patches = patchesOf(source);
      const wide = patches ? patches(augmentReach(plan)) : source;
      const samples = plan.cycles > 1 ? repeatCycles(wide, plan.cycles) : wide;
      const chain = chainOf(samples);
      // Steps on the graph thread and steps in a worker cannot share a task.
      const prolongs = chain?.links.every((before) => !before.step);
      return chainStage(chain && prolongs ? { ...chain, links: [...chain.links, link] } : { upstream: samples, links: [link] });
    },
    { link },
  );
}
