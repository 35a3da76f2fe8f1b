import type { CaseRef, DataSet } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import { spacingOf } from "../core/geometry.js";
import { elementCount } from "../core/shape.js";
import { labelDtype, readLabel } from "../io/read-label.js";
import { readLabelHeader } from "../io/read-label-header.js";
import { labelCounts } from "../kernels/label-counts/label-counts.js";

/**
 * What folds are stratified by: `"presence"`, the names of the classes that a case has, or `"volume"`, its foreground in mm³. Reads the label maps one
 * after the other.
 *
 * @throws `ERR_LABEL` for a case without a label; what reading throws
 * @example
 * const strata = await caseStrata(data, await data.list(), "presence"); // Map { "case_00000" => "kidney+tumor", … }
 */
export async function caseStrata(data: DataSet, refs: readonly CaseRef[], by: "presence" | "volume"): Promise<ReadonlyMap<string, string | number>> {
  const strata = new Map<string, string | number>();
  for (const ref of refs) {
    const { counts, voxelVolume } = await countsOf(data, ref);
    const foreground = counts.slice(1);
    const present = data.classes.slice(1).filter((_, at) => (foreground[at] ?? 0) > 0);
    strata.set(ref.id, by === "presence" ? present.sort().join("+") : foreground.reduce((sum, count) => sum + count, 0) * voxelVolume);
  }
  return strata;
}

async function countsOf(data: DataSet, ref: CaseRef): Promise<{ readonly counts: readonly number[]; readonly voxelVolume: number }> {
  const volumeOf = (spacing: readonly number[]): number => spacing.reduce((product, side) => product * side, 1);
  const missing = (): VoxError =>
    new VoxError("a case must have a label to be stratified by", { code: "ERR_LABEL", where: "caseStrata", sampleId: ref.id });
  if (data.read) {
    const { image, label } = await data.read(ref);
    if (!label) throw missing();
    const map = labelDtype(data.classes.length) === "uint8" ? Uint8Array.from(label.data) : Uint16Array.from(label.data);
    return { counts: [...labelCounts(map)], voxelVolume: image.affine ? volumeOf(spacingOf(image.affine)) : 1 };
  }
  if (ref.label === undefined) throw missing();
  const header = await readLabelHeader(ref.label, ref.reading);
  const Label = labelDtype(data.classes.length) === "uint8" ? Uint8Array : Uint16Array;
  const map = new Label(elementCount(header.shape));
  readLabel(header, map, { classes: data.classes });
  return { counts: [...labelCounts(map)], voxelVolume: volumeOf(header.geometry.spacing) };
}
