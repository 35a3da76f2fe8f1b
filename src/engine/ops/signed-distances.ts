import * as tf from "@tensorflow/tfjs-core";
import { requireOption } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import { distanceTransform } from "../../kernels/distance-transform/distance-transform.js";

export interface SignedDistancesOptions {
  readonly classes: number;
  /** Voxel size `[z, y, x]`; distances are in its unit. */
  readonly spacing?: Triple;
  /** Label whose voxels belong neither to a class nor to what surrounds it. */
  readonly ignore?: number | undefined;
  /** Classes whose distances are wanted; the others stay 0. */
  readonly wanted?: readonly boolean[];
}

/**
 * Distance of each voxel to each class, from voxel center to voxel center: positive outside, to the nearest voxel of the class; negative inside, to the
 * nearest one that is not of it. 0 everywhere for a class that is nowhere or everywhere. Computed on the CPU by the distance transform kernel, from the values
 * of the tensor; nothing is differentiated.
 *
 * @shape labels (batch, …, 1), or (batch, …, classes) where a value above 0.5 is inside → (batch, voxels, classes)
 * @units the spacing's; voxels by default
 * @throws `ERR_OPTION` when the spacing is not three numbers > 0
 * @source Felzenszwalb, Huttenlocher 2012
 */
export function signedDistances(labels: tf.Tensor, { classes, spacing = [1, 1, 1], ignore, wanted }: SignedDistancesOptions): tf.Tensor3D {
  const isPositive = spacing.length === 3 && spacing.every((s) => s > 0 && Number.isFinite(s));
  requireOption(isPositive, "signedDistances", "spacing", "three numbers > 0", spacing);
  const [batch, channels] = [labels.shape[0]!, labels.shape.at(-1)!];
  const extents = labels.shape.slice(1, -1);
  const extent = [1, 1, 1, ...extents].slice(-3) as unknown as Triple;
  const voxels = extent[0] * extent[1] * extent[2];
  const values = labels.dataSync();
  const result = new Float32Array(batch * voxels * classes);
  const [inside, outside] = [new Uint8Array(voxels), new Uint8Array(voxels)];
  const [toInside, toOutside] = [new Float32Array(voxels), new Float32Array(voxels)];
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < classes; c++) {
      if (wanted?.[c] === false) continue;
      let [insideCount, outsideCount] = [0, 0];
      for (let v = 0; v < voxels; v++) {
        const at = b * voxels + v;
        const isInside = channels === 1 ? values[at] === c && c !== ignore : values[at * channels + c]! > 0.5;
        const isOutside = !isInside && !(channels === 1 && values[at] === ignore);
        inside[v] = Number(isInside);
        outside[v] = Number(isOutside);
        insideCount += inside[v]!;
        outsideCount += outside[v]!;
      }
      if (insideCount === 0 || outsideCount === 0) continue;
      distanceTransform(inside, extent, toInside, spacing);
      distanceTransform(outside, extent, toOutside, spacing);
      for (let v = 0; v < voxels; v++) {
        // An ignored voxel has both distances; its value does not matter to anyone.
        result[(b * voxels + v) * classes + c] = inside[v] ? -toOutside[v]! : toInside[v]!;
      }
    }
  }
  return tf.tensor3d(result, [batch, voxels, classes]);
}
