import type { CaseRef, DataSet } from "../core/case.js";
import type { Geometry } from "../core/geometry.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { elementCount, type Shape4 } from "../core/shape.js";
import { canonicalCase } from "./canonical-case.js";
import { type ReadCaseOptions, readCase } from "./read-case.js";
import { readCaseHeader } from "./read-case-header.js";
import { labelDtype } from "./read-label.js";

/** A whole case in plain memory, for tools that look at one case after the other. */
export interface LoadedCase {
  readonly id: string;
  /** `[depth, height, width, channels]`. */
  readonly shape: Shape4;
  readonly geometry: Geometry;
  /** Orientation of the file's axes, such as `LPS`; `RAS` for arrays without an affine. */
  readonly orientation: string;
  /** Element type in the file. */
  readonly dtype: string;
  readonly image: Float32Array;
  readonly label?: Uint8Array | Uint16Array;
}

/**
 * Reads image and label of a case, through the data set's own reader where it has one.
 *
 * @shape image (D, H, W, C), label (D, H, W, 1), in canonical orientation
 * @throws `ERR_OPTION`; what `readCaseHeader` and `readCase` throw, with the case's id: `ERR_READ`, `ERR_FORMAT`, `ERR_HEADER`, `ERR_GEOMETRY`,
 * `ERR_LABEL`, ...
 * @example
 * const { image, shape, geometry } = await loadCase(data, ref);
 */
export async function loadCase(dataset: DataSet, ref: CaseRef, options: ReadCaseOptions = {}): Promise<LoadedCase> {
  requireKnownOptions("loadCase", options, ["nonFinite", "classes", "isStopped"]);
  const Label = labelDtype(dataset.classes.length) === "uint8" ? Uint8Array : Uint16Array;
  if (dataset.read) {
    const { custom, geometry, source } = canonicalCase(await dataset.read(ref), ref.id);
    const { image, label } = custom;
    return {
      id: ref.id,
      shape: image.shape,
      geometry,
      orientation: source?.orientation ?? "RAS",
      dtype: image.data.constructor.name.replace("Array", "").toLowerCase(),
      image: Float32Array.from(image.data),
      ...(label ? { label: Label.from(label.data) } : {}),
    };
  }
  const header = await readCaseHeader(ref, { classes: dataset.classes, channels: dataset.channels });
  const image = new Float32Array(elementCount(header.shape));
  const label = header.label ? new Label(elementCount(header.label.shape)) : undefined;
  readCase(header, { image, ...(label ? { label } : {}) }, options);
  const { shape, geometry, source } = header;
  return { id: ref.id, shape, geometry, orientation: source.orientation, dtype: header.images[0]!.dtype, image, ...(label ? { label } : {}) };
}
