/** Intensities shown as black and as white. */
export interface IntensityWindow {
  readonly min: number;
  readonly max: number;
}

const MAX_PROBES = 20_000;

/** The abdominal soft-tissue window, level 40 and width 400 HU. */
const SOFT_TISSUE: IntensityWindow = { min: -160, max: 240 };
/** Only CT in Hounsfield units has so much this far below zero: air. */
const AIR = -500;

/**
 * A window for an image of unknown intensities. CT in Hounsfield units, known by its air, gets the soft-tissue window -160..240; others the 0.5th to the
 * 99.5th percentile of evenly spread voxels, one wider than nothing where the image is constant.
 *
 * @example
 * intensityWindow(image); // { min: -1.7, max: 2.9 }
 */
export function intensityWindow(image: ArrayLike<number>): IntensityWindow {
  const step = Math.max(1, Math.floor(image.length / MAX_PROBES));
  const probes: number[] = [];
  for (let i = 0; i < image.length; i += step) if (Number.isFinite(image[i])) probes.push(image[i]!);
  probes.sort((a, b) => a - b);
  const min = probes[Math.floor((probes.length - 1) * 0.005)] ?? 0;
  const max = probes[Math.ceil((probes.length - 1) * 0.995)] ?? 1;
  if (min < AIR) return SOFT_TISSUE;
  return max > min ? { min, max } : { min: min - 0.5, max: min + 0.5 };
}
