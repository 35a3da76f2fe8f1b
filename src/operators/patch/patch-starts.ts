/**
 * First voxels of the windows that cover an axis: every `window - overlap` voxels, the last one shifted back so that it ends with the axis. A window longer
 * than the axis has one start, 0.
 *
 * @units voxels
 * @source MIScnn 1.4, utils/patch_operations.py (behavior)
 * @example
 * patchStarts(216, 80, 40) // [0, 40, 80, 120, 136]
 */
export function patchStarts(extent: number, window: number, overlap: number): number[] {
  const step = window - overlap;
  const count = Math.max(1, Math.ceil((extent - overlap) / step));
  return Array.from({ length: count }, (_, k) => Math.max(0, Math.min(k * step, extent - window)));
}
