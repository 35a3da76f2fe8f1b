import type { CustomCase } from "../../core/case.js";
import { VoxError } from "../../core/errors.js";
import { type Affine, axisAligned, type Geometry, spacingOf } from "../../core/geometry.js";
import type { RunContext } from "../../core/run-context.js";
import { formatShape, type Shape4, spatial } from "../../core/shape.js";
import { readHeader } from "../../io/read-header.js";
import { labelDtype } from "../../io/read-label.js";
import type { VolumeHeader } from "../../io/volume-format.js";
import type { SampleLayout } from "../../workers/steps/step.js";
import type { CaseItem } from "./case-item.js";

/** A case whose shapes are known and checked, and whose voxels are still on disk (or in a custom reader's arrays). */
export interface OpenCase {
  readonly item: CaseItem;
  readonly layout: SampleLayout;
  readonly voxels: { readonly images: readonly VolumeHeader[]; readonly label?: VolumeHeader } | { readonly custom: CustomCase };
}

/** Image and label affines may differ by this many mm anywhere in the volume: writers round. */
const AFFINE_TOLERANCE_MM = 0.05;

/**
 * Reads the headers of a case and checks that its files belong together.
 *
 * @throws `ERR_LABEL` when the label is missing outside prediction; `ERR_GEOMETRY`, `ERR_SHAPE`, and what reading a header throws
 */
export async function openCase(item: CaseItem, mode: RunContext["mode"]): Promise<OpenCase> {
  const { ref, data, id } = item;
  const needsLabel = mode !== "prediction";
  const labelType = labelDtype(data.classes.length);
  if (data.read) {
    const custom = await data.read(ref);
    return { item, layout: customLayout(custom, item, needsLabel, labelType), voxels: { custom } };
  }
  if (needsLabel && ref.label === undefined) throw missingLabel(id);
  const images = await Promise.all(ref.images.map((path) => readHeader(path)));
  const first = images[0];
  if (!first) throw new VoxError("a case must have at least one image file, got none", { code: "ERR_DATA", where: "load", sampleId: id });
  for (const other of images.slice(1)) requireSameGrid(first, other, "all channels", id);
  const channels = images.reduce((sum, { shape }) => sum + shape[3], 0);
  requireChannels(channels, data.channels, first.path, id);
  const label = needsLabel ? await readHeader(ref.label!) : undefined;
  if (label) {
    requireSameGrid(first, label, "image and label map", id);
    if (label.shape[3] !== 1) {
      throw new VoxError(`a label map must have one channel, got ${label.shape[3]}`, { code: "ERR_SHAPE", where: label.path, sampleId: id });
    }
  }
  const { geometry } = first;
  return {
    item,
    layout: {
      image: { dtype: "float32", shape: [...spatial(first.shape), channels] as Shape4, geometry },
      ...(label && { label: { dtype: labelType, shape: label.shape, geometry } }),
    },
    voxels: { images, ...(label && { label }) },
  };
}

function customLayout(custom: CustomCase, { id, data }: CaseItem, needsLabel: boolean, labelType: "uint8" | "uint16"): SampleLayout {
  const { image, label } = custom;
  const geometry: Geometry = image.affine ? { spacing: spacingOf(image.affine), affine: image.affine } : axisAligned();
  for (const [what, array] of [["image", image] as const, ...(label ? [["label map", label] as const] : [])]) {
    const count = array.shape.reduce((product, extent) => product * extent, 1);
    if (array.shape.length !== 4 || !array.shape.every((extent) => Number.isSafeInteger(extent) && extent >= 1) || array.data.length !== count) {
      throw new VoxError(`the ${what} must have four extents and as many elements, got ${array.data.length} for ${formatShape(array.shape)}`, {
        code: "ERR_SHAPE",
        where: "load",
        sampleId: id,
      });
    }
  }
  requireChannels(image.shape[3], data.channels, "load", id);
  if (!needsLabel) return { image: { dtype: "float32", shape: image.shape, geometry } };
  if (!label) throw missingLabel(id);
  if (label.shape[3] !== 1 || !spatial(label.shape).every((extent, axis) => extent === image.shape[axis])) {
    throw new VoxError(`image and label map must have the same shape, got ${formatShape(image.shape)} and ${formatShape(label.shape)}`, {
      code: "ERR_GEOMETRY",
      where: "load",
      sampleId: id,
    });
  }
  return { image: { dtype: "float32", shape: image.shape, geometry }, label: { dtype: labelType, shape: label.shape, geometry } };
}

function missingLabel(id: string): VoxError {
  return new VoxError("a case must have a label map in training and validation, got none", { code: "ERR_LABEL", where: "load", sampleId: id });
}

function requireChannels(found: number, declared: number, where: string, sampleId: string): void {
  if (found === declared) return;
  throw new VoxError(`the case must have the ${declared} channels that the data set declares, got ${found}`, { code: "ERR_SHAPE", where, sampleId });
}

function requireSameGrid(a: VolumeHeader, b: VolumeHeader, what: string, sampleId: string): void {
  const fail = (thing: string, left: string, right: string): never => {
    throw new VoxError(`${what} must have the same ${thing}, got ${left} in ${a.path} and ${right} in ${b.path}`, {
      code: "ERR_GEOMETRY",
      where: "load",
      sampleId,
    });
  };
  if (!spatial(a.shape).every((extent, axis) => extent === b.shape[axis]))
    fail("shape", formatShape(spatial(a.shape)), formatShape(spatial(b.shape)));
  const apart = farthest(a.geometry.affine, b.geometry.affine, a.shape);
  if (apart > AFFINE_TOLERANCE_MM) {
    const text = ({ affine }: Geometry) =>
      `[${affine
        .slice(0, 12)
        .map((value) => Number(value.toFixed(3)))
        .join(", ")}]`;
    fail(`place in space (they are ${apart.toFixed(2)} mm apart)`, text(a.geometry), text(b.geometry));
  }
}

/** Largest distance of the two places of a corner of the volume, in mm: an affine difference is worst in a corner. */
function farthest(a: Affine, b: Affine, [depth, height, width]: Shape4): number {
  let largest = 0;
  for (let corner = 0; corner < 8; corner++) {
    const [x, y, z] = [corner & 1 ? width - 1 : 0, corner & 2 ? height - 1 : 0, corner & 4 ? depth - 1 : 0];
    const apart = [0, 4, 8].map(
      (row) => (a[row]! - b[row]!) * x + (a[row + 1]! - b[row + 1]!) * y + (a[row + 2]! - b[row + 2]!) * z + a[row + 3]! - b[row + 3]!,
    );
    largest = Math.max(largest, Math.hypot(...apart));
  }
  return largest;
}
