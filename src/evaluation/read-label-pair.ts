import type { CaseReading } from "../core/case.js";
import { errorMessage, VoxError } from "../core/errors.js";
import { elementCount, formatShape, spatial, type Triple } from "../core/shape.js";
import { labelDtype, readLabel } from "../io/read-label.js";
import { readLabelHeader } from "../io/read-label-header.js";
import { requireSameGrid } from "../io/require-same-grid.js";
import type { VolumeHeader } from "../io/volume-format.js";

export interface LabelPair {
  readonly prediction: Uint8Array | Uint16Array;
  readonly reference: Uint8Array | Uint16Array;
  readonly shape: Triple;
  readonly spacing: Triple;
}

/**
 * Reads a prediction and its reference in canonical orientation; files that store the same grid in different axis orders are fine.
 *
 * @throws `ERR_GEOMETRY` naming both files when they do not lie on one grid; `ERR_LABEL` for labels outside the classes; and what reading throws
 * @example
 * await readLabelPair({ id: "case_00000", prediction: "out/case_00000.nii.gz", reference: "labels/case_00000.nii.gz", classes });
 */
export async function readLabelPair(files: {
  readonly id: string;
  readonly prediction: string;
  readonly reference: string;
  readonly classes: readonly string[];
  /** What the stored values and pixels of the reference mean. */
  readonly reading?: CaseReading | undefined;
}): Promise<LabelPair> {
  const { id, classes, reading } = files;
  const first = await readLabelHeader(files.reference, reading);
  const { labels: _, ...place } = reading ?? {};
  // Pictures rarely tell the size of their pixels: the one that does tells it for both.
  const prediction = await readLabelHeader(files.prediction, place, first.isUnscaled ? undefined : first);
  const reference = first.isUnscaled ? await readLabelHeader(files.reference, reading, prediction) : first;
  const shape = spatial(reference.shape);
  if (spatial(prediction.shape).some((extent, axis) => extent !== shape[axis])) {
    throw new VoxError(
      `the prediction must have the shape of its label ${files.reference}, ${formatShape(shape)} (depth x height x width), got ${formatShape(spatial(prediction.shape))}`,
      { code: "ERR_GEOMETRY", where: files.prediction, sampleId: id },
    );
  }
  try {
    requireSameGrid(reference, prediction, "label");
  } catch (error) {
    throw new VoxError(`the prediction must lie where its label ${files.reference} lies: ${errorMessage(error)}`, {
      code: "ERR_GEOMETRY",
      where: files.prediction,
      sampleId: id,
      cause: error,
    });
  }
  return { prediction: voxels(prediction, classes), reference: voxels(reference, classes), shape, spacing: reference.geometry.spacing };
}

function voxels(header: VolumeHeader, classes: readonly string[]): Uint8Array | Uint16Array {
  const count = elementCount(header.shape);
  const map = labelDtype(classes.length) === "uint8" ? new Uint8Array(count) : new Uint16Array(count);
  readLabel(header, map, { classes });
  return map;
}
