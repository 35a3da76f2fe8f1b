import { requireKnownOptions } from "../core/require-known-options.js";
import { formatOf } from "./formats.js";
import type { ReadHeaderOptions, VolumeHeader } from "./volume-format.js";

/**
 * Shape, place and type of a volume file without its voxels, in canonical orientation: enough to allocate exactly.
 *
 * @shape (D, H, W, C) canonical
 * @units geometry in mm
 * @throws `ERR_OPTION`, `ERR_READ`, `ERR_FORMAT`, `ERR_HEADER`, `ERR_TRUNCATED` with the file's name
 * @example
 * const header = await readHeader("data/kits19/case_00000/imaging.nii.gz");
 * const voxels = new Float32Array(elementCount(header.shape));
 */
export function readHeader(path: string, options: ReadHeaderOptions = {}): Promise<VolumeHeader> {
  requireKnownOptions("readHeader", options, ["role", "channels", "gray", "spacing"]);
  return formatOf(path).readHeader(path, options);
}
