import { VoxError } from "../core/errors.js";
import { formatShape, type Triple } from "../core/shape.js";
import type { ModelSpec } from "./model-spec.js";

/**
 * Checks that a patch passes through a network's poolings without remainder, before any data is read.
 *
 * @throws `ERR_MODEL` with the nearest sizes that fit
 */
export function checkPatch(model: Pick<ModelSpec, "name" | "divisor" | "dimensions">, patch: Triple): void {
  if (patch.some((extent) => !Number.isInteger(extent) || extent < 1)) {
    throw new VoxError(`the patch must have positive integer extents, got ${formatShape(patch)}`, { code: "ERR_MODEL", where: model.name });
  }
  if (model.dimensions(patch) === 2 && patch[0] !== 1) {
    throw new VoxError(`a 2D network needs patches of depth 1, got ${formatShape(patch)}`, { code: "ERR_MODEL", where: model.name });
  }
  const divisor = model.divisor(patch);
  if (patch.every((extent, axis) => extent % divisor[axis]! === 0)) return;
  const up = patch.map((extent, axis) => Math.ceil(extent / divisor[axis]!) * divisor[axis]!);
  const down = patch.map((extent, axis) => Math.max(1, Math.floor(extent / divisor[axis]!)) * divisor[axis]!);
  const sizes = [...new Set([formatShape(down), formatShape(up)])].join(" or ");
  throw new VoxError(
    `the patch must be divisible by ${formatShape(divisor)}, got ${formatShape(patch)}; ${sizes} would fit, or fewer levels (depth)`,
    { code: "ERR_MODEL", where: model.name },
  );
}
