import type { Affine } from "../../core/geometry.js";

/**
 * From a place in LPS+ mm to the (fractional) indices of a grid.
 *
 * @units mm
 */
export function gridIndex(affine: Affine): (x: number, y: number, z: number) => [number, number, number] {
  const [a, b, c, tx, d, e, f, ty, g, h, i, tz] = affine;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return (x, y, z) => {
    // The affine speaks RAS+.
    const [p, q, r] = [-x - tx, -y - ty, z - tz];
    return [
      ((e * i - f * h) * p + (c * h - b * i) * q + (b * f - c * e) * r) / determinant,
      ((f * g - d * i) * p + (a * i - c * g) * q + (c * d - a * f) * r) / determinant,
      ((d * h - e * g) * p + (b * g - a * h) * q + (a * e - b * d) * r) / determinant,
    ];
  };
}
