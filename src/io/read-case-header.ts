import type { CaseRef } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import type { Geometry, SourceGrid } from "../core/geometry.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { Shape4 } from "../core/shape.js";
import { readHeader } from "./read-header.js";
import { labelDtype } from "./read-label.js";
import { readLabelHeader } from "./read-label-header.js";
import { requireSameGrid } from "./require-same-grid.js";
import type { VolumeHeader } from "./volume-format.js";

export interface ReadCaseHeaderOptions {
  /** Channels that every case must have; not checked when absent. */
  readonly channels?: number;
  /** Number of classes decides between uint8 and uint16 labels. */
  readonly classes: readonly string[];
  /** Whether a case without a label file is an error. */
  readonly needsLabel?: boolean;
}

/** All that is known of a case before its voxels are read; plain data, so it can go to a worker. */
export interface CaseHeader {
  readonly id: string;
  /** Canonical `[depth, height, width, channels]` of the image. */
  readonly shape: Shape4;
  readonly geometry: Geometry;
  /** Grid of the first image file. */
  readonly source: SourceGrid;
  /** One file per channel, or one file with all channels. */
  readonly images: readonly VolumeHeader[];
  readonly label?: VolumeHeader;
  readonly labelDtype: "uint8" | "uint16";
}

/**
 * Reads the headers of all files of a case and makes sure that they lie on one grid.
 *
 * @throws `ERR_OPTION`; `ERR_GEOMETRY` when files differ in shape or place; `ERR_SHAPE` for another number of channels; `ERR_LABEL` when a needed
 * label is missing;
 * and what `readHeader` throws; all with the case's id or file name
 * @example
 * const header = await readCaseHeader(ref, { classes: data.classes, channels: data.channels });
 */
export async function readCaseHeader(
  ref: CaseRef,
  { channels, classes, needsLabel = false, ...unknown }: ReadCaseHeaderOptions,
): Promise<CaseHeader> {
  requireKnownOptions("readCaseHeader", unknown, ["channels", "classes", "needsLabel"]);
  const first = ref.images[0];
  if (first === undefined)
    throw new VoxError("a case must have at least one image file, got none", { code: "ERR_DATA", where: "readCaseHeader", sampleId: ref.id });
  if (needsLabel && ref.label === undefined) {
    throw new VoxError("a case must have a label file here, got none", { code: "ERR_LABEL", where: first, sampleId: ref.id });
  }
  const images: VolumeHeader[] = [];
  const { gray, spacing } = ref.reading ?? {};
  const reading = { ...(gray !== undefined && { gray }), ...(spacing && { spacing }) };
  // With several files each is a channel.
  const declared = ref.images.length > 1 ? 1 : channels;
  for (const path of ref.images) images.push(await readHeader(path, { ...reading, ...(declared !== undefined && { channels: declared }) }));
  const image = images[0]!;
  for (const other of images.slice(1)) requireSameGrid(image, other, "channel", ref.id);
  const count = images.reduce((sum, header) => sum + header.shape[3], 0);
  if (channels !== undefined && count !== channels) {
    throw new VoxError(`a case must have ${channels} channels as declared, got ${count}; set channels where the cases are declared`, {
      code: "ERR_SHAPE",
      where: first,
      sampleId: ref.id,
    });
  }
  const label = ref.label === undefined ? undefined : await readLabelHeader(ref.label, ref.reading, image);
  if (label) requireSameGrid(image, label, "label", ref.id);
  return {
    id: ref.id,
    shape: [image.shape[0], image.shape[1], image.shape[2], count],
    geometry: image.geometry,
    source: image.source,
    images,
    ...(label === undefined ? {} : { label }),
    labelDtype: labelDtype(classes.length),
  };
}
