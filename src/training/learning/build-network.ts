import type * as tfl from "@tensorflow/tfjs-layers";
import { errorMessage, isVoxError, VoxError } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import { checkPatch, type ModelSpec } from "../../models/index.js";

export interface BuildNetworkOptions {
  readonly patch: Triple;
  readonly channels: number;
  readonly classes: number;
  readonly seed: number;
}

/**
 * The network of a specification for patches of a size.
 *
 * @throws `ERR_MODEL` when it does not fit, or its function fails
 */
export function buildNetwork(spec: ModelSpec, { patch, channels, classes, seed }: BuildNetworkOptions): tfl.LayersModel {
  checkPatch(spec, patch);
  try {
    return spec.build({ shape: [...patch, channels], classes, seed });
  } catch (error) {
    if (isVoxError(error)) throw error;
    throw new VoxError(`the network cannot be built: ${errorMessage(error)}`, { code: "ERR_MODEL", where: spec.name, cause: error });
  }
}
