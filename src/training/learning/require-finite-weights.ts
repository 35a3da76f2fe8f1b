import type * as tfl from "@tensorflow/tfjs-layers";
import { VoxError } from "../../core/errors.js";

/**
 * Refuses to keep a network that has diverged: a loss that is not finite shows it only in the step after, which a run's last one does not have.
 *
 * @throws `ERR_TRAINING` naming the first weight that is not finite
 */
export async function requireFiniteWeights(model: tfl.LayersModel, step: number): Promise<void> {
  for (const weight of model.weights) {
    const values = await weight.read().data<"float32">();
    for (let i = 0; i < values.length; i++) {
      if (Number.isFinite(values[i])) continue;
      throw new VoxError(
        `the weights must be finite, got ${values[i]} in ${weight.originalName} after step ${step}; the checkpoint before stays; lower the learning rate or set clipNorm`,
        { code: "ERR_TRAINING", where: "trainer" },
      );
    }
  }
}
