import { requireKnownOptions } from "../core/require-known-options.js";
import type { CaseHeader } from "./read-case-header.js";
import { type ReadLabelOptions, readLabel } from "./read-label.js";
import { type ReadVolumeOptions, readVolume } from "./read-volume.js";

export interface ReadCaseTargets {
  /** `[depth, height, width, channels]`. */
  readonly image: Float32Array;
  /** `[depth, height, width, 1]`; needed when the case has a label. */
  readonly label?: Uint8Array | Uint16Array;
}

export interface ReadCaseOptions extends Pick<ReadVolumeOptions, "nonFinite">, ReadLabelOptions {}

/**
 * Reads all channels and the label map of a case into given memory. Synchronous, for worker threads.
 *
 * @shape image (D, H, W, C), label (D, H, W, 1)
 * @returns the number of NaN or infinite voxels that were replaced
 * @throws `ERR_OPTION`; what `readVolume` and `readLabel` throw
 * @example
 * const header = await readCaseHeader(ref, { classes });
 * readCase(header, { image: new Float32Array(elementCount(header.shape)) });
 */
export function readCase(
  header: CaseHeader,
  { image, label }: ReadCaseTargets,
  { nonFinite = "fail", classes, isStopped, ...unknown }: ReadCaseOptions = {},
): number {
  requireKnownOptions("readCase", unknown, ["nonFinite", "classes", "isStopped"]);
  let replaced = 0;
  let first = 0;
  for (const file of header.images) {
    replaced += readVolume(file, image, { nonFinite, ...(isStopped && { isStopped }), channels: { first, of: header.shape[3] } });
    first += file.shape[3];
  }
  if (header.label && label) readLabel(header.label, label, { ...(classes && { classes }), ...(isStopped && { isStopped }) });
  return replaced;
}
