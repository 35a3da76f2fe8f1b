import type { Triple } from "../core/shape.js";
import { distanceTransform } from "../kernels/distance-transform/distance-transform.js";
import { cropMask } from "./crop-mask.js";
import type { LabelComparison } from "./label-comparison.js";
import type { LabelArray } from "./label-map-comparison.js";
import { surfaceVoxels } from "./surface-voxels.js";

/** Both directions, each ascending, in mm from voxel center to voxel center. */
export interface SurfaceDistances {
  /** For each surface voxel of the prediction: how far the reference's surface is. */
  readonly toReference: Float64Array;
  /** For each surface voxel of the reference: how far the prediction's surface is. */
  readonly toPrediction: Float64Array;
}

/**
 * Exact Euclidean distances between the surfaces of prediction and reference, with the spacing of the grid.
 *
 * Everything happens in the box that holds both masks: the nearest surface voxel never lies outside of it.
 *
 * @units mm
 * @source Felzenszwalb and Huttenlocher, Theory of Computing 8 (2012), for the distance transform
 * @example
 * surfaceDistances(comparison.of(1)).toReference.at(-1); // directed Hausdorff distance
 */
export function surfaceDistances({ maps, labels, box }: LabelComparison): SurfaceDistances {
  // Flat is the image, not the box: a structure of one slice in a volume is surface all over.
  const isFlat = maps.shape.map((extent) => extent === 1);
  const surfaceOf = (map: LabelArray): Uint8Array => surfaceVoxels(cropMask(map, maps.shape, labels, box), box.size, isFlat);
  const predicted = surfaceOf(maps.prediction);
  const referenced = surfaceOf(maps.reference);
  return {
    toReference: directed(predicted, referenced, box.size, maps.spacing),
    toPrediction: directed(referenced, predicted, box.size, maps.spacing),
  };
}

function directed(from: Uint8Array, to: Uint8Array, shape: Triple, spacing: Triple): Float64Array {
  const distance = new Float32Array(to.length);
  distanceTransform(to, shape, distance, spacing);
  const found = new Float64Array(from.length);
  let count = 0;
  for (let i = 0; i < from.length; i++) if (from[i]) found[count++] = distance[i]!;
  return found.slice(0, count).sort();
}
