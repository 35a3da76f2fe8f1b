import { VoxError } from "../../core/errors.js";
import type { CaseConfusion } from "./case-confusion.js";

/**
 * Adds up the confusion tables of several cases; a case that is held out several times counts as often.
 *
 * @throws `ERR_SHAPE` when they are of different numbers of classes
 * @example
 * sumConfusions(confusions)[1]![2]; // voxels of class 1 that were taken for class 2, over all cases
 */
export function sumConfusions(cases: readonly CaseConfusion[]): number[][] {
  const size = cases[0]?.confusion.length ?? 0;
  const sum = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (const { id, confusion } of cases) {
    if (confusion.length !== size || confusion.some((row) => row.length !== size)) {
      throw new VoxError(`tables must be of ${size}x${size} classes, got ${confusion.length}x${confusion[0]?.length ?? 0}`, {
        code: "ERR_SHAPE",
        where: "sumConfusions",
        sampleId: id,
      });
    }
    for (const [truth, row] of confusion.entries()) for (const [predicted, voxels] of row.entries()) sum[truth]![predicted]! += voxels;
  }
  return sum;
}
