import type { CustomCase } from "../../core/case.js";
import { VoxError } from "../../core/errors.js";
import type { SourceGrid } from "../../core/geometry.js";
import type { RunContext } from "../../core/run-context.js";
import { formatShape, spatial } from "../../core/shape.js";
import { canonicalCase } from "../../io/canonical-case.js";
import { type CaseHeader, readCaseHeader } from "../../io/read-case-header.js";
import { labelDtype } from "../../io/read-label.js";
import type { SampleLayout } from "../../workers/steps/step.js";
import type { CaseItem } from "./case-item.js";

/** A case whose shapes are known and checked, and whose voxels are still on disk (or in a custom reader's arrays). */
export interface OpenCase {
  readonly item: CaseItem;
  readonly layout: SampleLayout;
  readonly voxels: CaseHeader | { readonly custom: CustomCase; readonly source?: SourceGrid };
}

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
    const delivered = await data.read(ref);
    requireArrays(delivered, item, needsLabel);
    const { custom, geometry, source } = canonicalCase(needsLabel ? delivered : { image: delivered.image }, ref.id);
    const layout: SampleLayout = {
      image: { dtype: "float32", shape: custom.image.shape, geometry },
      // Checked above: where a label is needed it is there.
      ...(needsLabel && { label: { dtype: labelType, shape: custom.label!.shape, geometry } }),
    };
    return { item, layout, voxels: { custom, ...(source && { source }) } };
  }
  const { label, ...imagesOnly } = ref;
  const header = await readCaseHeader(needsLabel ? ref : imagesOnly, { channels: data.channels, classes: data.classes, needsLabel });
  const { shape, geometry } = header;
  if (header.label && header.label.shape[3] !== 1) {
    throw new VoxError(`a label map must have one channel, got ${header.label.shape[3]}`, {
      code: "ERR_SHAPE",
      where: header.label.path,
      sampleId: id,
    });
  }
  return {
    item,
    layout: {
      image: { dtype: "float32", shape, geometry },
      ...(header.label && { label: { dtype: header.labelDtype, shape: header.label.shape, geometry } }),
    },
    voxels: header,
  };
}

function requireArrays({ image, label }: CustomCase, { id, data }: CaseItem, needsLabel: boolean): void {
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
  if (!needsLabel) return;
  if (!label) throw missingLabel(id);
  if (label.shape[3] !== 1 || !spatial(label.shape).every((extent, axis) => extent === image.shape[axis])) {
    throw new VoxError(`image and label map must have the same shape, got ${formatShape(image.shape)} and ${formatShape(label.shape)}`, {
      code: "ERR_GEOMETRY",
      where: "load",
      sampleId: id,
    });
  }
}

function missingLabel(id: string): VoxError {
  return new VoxError("a case must have a label map in training and validation, got none", { code: "ERR_LABEL", where: "load", sampleId: id });
}

function requireChannels(found: number, declared: number, where: string, sampleId: string): void {
  if (found === declared) return;
  throw new VoxError(`the case must have the ${declared} channels that the data set declares, got ${found}`, { code: "ERR_SHAPE", where, sampleId });
}
