import type { CaseReading } from "../core/case.js";
import { formatOf } from "./formats.js";
import { readHeader } from "./read-header.js";
import type { VolumeHeader } from "./volume-format.js";

/**
 * `readHeader` of a label map, with what its values and pixels mean. A picture has the voxel size of the image that it belongs to, `on`.
 *
 * @label read by `readLabel` as `reading.labels` says
 * @throws what `readHeader` throws; `ERR_FORMAT` for formats that lose label values
 * @example
 * const header = await readLabelHeader("data/kits19/case_00000/segmentation.nii.gz", { labels: { 2: 1 } });
 */
export async function readLabelHeader(path: string, reading: CaseReading = {}, on?: Pick<VolumeHeader, "geometry">): Promise<VolumeHeader> {
  const { labels, spacing = formatOf(path).isPlanar ? on?.geometry.spacing : undefined } = reading;
  const header = await readHeader(path, { role: "label", channels: 1, ...(spacing && { spacing }) });
  return labels === undefined ? header : { ...header, labels };
}
