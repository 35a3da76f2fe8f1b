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
      const [insideCount, outsideCount] =
        channels === 1
          ? splitLabels(values, b * voxels, { inside, outside, label: c, ignore: ignore ?? -1 })
          : splitChannel(values, b * voxels * channels + c, { inside, outside, channels });
      if (insideCount === 0 || outsideCount === 0) continue;
      distanceTransform(inside, extent, toInside, spacing);
      distanceTransform(outside, extent, toOutside, spacing);
      // One of the two is 0, but at an ignored voxel, whose value does not matter to anyone.
      for (let v = 0, at = b * voxels * classes + c; v < voxels; v++, at += classes) result[at] = toInside[v]! - toOutside[v]!;
    }
  }
  return tf.tensor3d(result, [batch, voxels, classes]);
}

interface Sides {
  readonly inside: Uint8Array;
  readonly outside: Uint8Array;
}

/** Which voxels are of a label and which of another one, with their numbers; ignored voxels are neither. */
function splitLabels(
  values: ArrayLike<number>,
  from: number,
  { inside, outside, label, ignore }: Sides & { readonly label: number; readonly ignore: number },
): [inside: number, outside: number] {
  let [insideCount, outsideCount] = [0, 0];
  for (let v = 0; v < inside.length; v++) {
    const value = values[from + v]!;
    const isInside = value === label && value !== ignore ? 1 : 0;
    const isOutside = value === label || value === ignore ? 0 : 1;
    inside[v] = isInside;
    outside[v] = isOutside;
    insideCount += isInside;
    outsideCount += isOutside;
  }
  return [insideCount, outsideCount];
}

/** The same by one channel of one-hot labels or probabilities. */
function splitChannel(
  values: ArrayLike<number>,
  from: number,
  { inside, outside, channels }: Sides & { readonly channels: number },
): [inside: number, outside: number] {
  let insideCount = 0;
  for (let v = 0, at = from; v < inside.length; v++, at += channels) {
    const isInside = values[at]! > 0.5 ? 1 : 0;
    inside[v] = isInside;
    outside[v] = 1 - isInside;
    insideCount += isInside;
  }
  return [insideCount, inside.length - insideCount];
}
