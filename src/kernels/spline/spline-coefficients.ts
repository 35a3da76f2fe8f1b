const POLE = Math.sqrt(3) - 2;

/** Weight of the sample k voxels away in the coefficient of a cubic B-spline: the inverse of the filter (1/6, 4/6, 1/6). */
export function inverseWeight(k: number): number {
  return Math.sqrt(3) * POLE ** Math.abs(k);
}

/** Samples farther away than this weigh less than 1e-14. */
export const INVERSE_RADIUS = 24;

/** Weights of the coefficients at floor(t)-1 … floor(t)+2 for the fraction f = t - floor(t). */
export function cubicWeights(f: number): readonly [number, number, number, number] {
  const g = 1 - f;
  return [(g * g * g) / 6, (4 - 3 * f * f * (2 - f)) / 6, (4 - 3 * g * g * (2 - g)) / 6, (f * f * f) / 6];
}

/**
 * Cubic B-spline coefficients of a line that goes on with its end voxels, for positions -2 … n+1.
 *
 * @source Unser 1999, Splines: a perfect fit for signal and image processing, box 2, as an FIR filter
 */
export function splineCoefficients(line: ArrayLike<number>): Float64Array {
  const n = line.length;
  const result = new Float64Array(n + 4);
  for (let i = -2; i < n + 2; i++) {
    let sum = 0;
    for (let k = -INVERSE_RADIUS; k <= INVERSE_RADIUS; k++) sum += inverseWeight(k) * line[Math.min(Math.max(i + k, 0), n - 1)]!;
    result[i + 2] = sum;
  }
  return result;
}
