import { requireOption } from "../core/errors.js";
import type { Voxels } from "../core/units.js";
import { patchStarts } from "../operators/patch/patch-starts.js";

/**
 * First voxels of the windows that cover one axis: 0, w - o, 2(w - o), …; the last one is shifted back to end with the image. An axis shorter than the
 * window has one start, 0. The same grid as that of the `patch` operator, with its numbers checked.
 *
 * @units voxels
 * @throws `ERR_OPTION` unless the sizes are integers, size and patch >= 1, and 0 <= overlap < patch
 * @source MIScnn 1.4, utils/patch_operations.py, slice_matrix
 * @example
 * gridStarts(16, 5, 2); // [0, 3, 6, 9, 11]
 */
export function gridStarts(size: Voxels, patch: Voxels, overlap: Voxels): number[] {
  requireOption(Number.isInteger(size) && size >= 1, "gridStarts", "size", "an integer >= 1", size);
  requireOption(Number.isInteger(patch) && patch >= 1, "gridStarts", "patch", "an integer >= 1", patch);
  requireOption(Number.isInteger(overlap) && overlap >= 0 && overlap < patch, "gridStarts", "overlap", `an integer in [0, ${patch})`, overlap);
  return patchStarts(size, patch, overlap);
}
