import type { Triple } from "../../core/shape.js";
import type { Matrix3 } from "../sample-image/sample-coordinates.js";

function product(a: Matrix3, b: Matrix3): Matrix3 {
  const cell = (i: number, j: number) => a[3 * i]! * b[j]! + a[3 * i + 1]! * b[3 + j]! + a[3 * i + 2]! * b[6 + j]!;
  return [cell(0, 0), cell(0, 1), cell(0, 2), cell(1, 0), cell(1, 1), cell(1, 2), cell(2, 0), cell(2, 1), cell(2, 2)];
}

/** Quarter turns are exact: the cosine of the double that is nearest to π/2 is 6e-17 and not 0. */
const exact = (value: number) => (Math.abs(value - Math.round(value)) < 1e-15 ? Math.round(value) : value);
const sine = (angle: number) => exact(Math.sin(angle));
const cosine = (angle: number) => exact(Math.cos(angle));

/**
 * The matrix M for `sampleImage` that turns by three angles about the depth, height and width axes and then scales: M = (R·diag(scale))ᵀ with
 * R = Rx(a)·Ry(b)·Rz(c), so that M·v equals the row vector v·R times the scale. Above 1 the scale zooms out.
 *
 * @units angles in radians
 * @source batchgenerators, create_matrix_rotation_x_3d, _y_3d, _z_3d and rotate_coords_3d (behavior)
 */
export function rotationMatrix(angles: Triple, scale: number | Triple = 1): Matrix3 {
  const [a, b, c] = angles;
  const x: Matrix3 = [1, 0, 0, 0, cosine(a), -sine(a), 0, sine(a), cosine(a)];
  const y: Matrix3 = [cosine(b), 0, sine(b), 0, 1, 0, -sine(b), 0, cosine(b)];
  const z: Matrix3 = [cosine(c), -sine(c), 0, sine(c), cosine(c), 0, 0, 0, 1];
  const r = product(product(x, y), z);
  const [s0, s1, s2] = typeof scale === "number" ? [scale, scale, scale] : scale;
  return [r[0] * s0, r[3] * s0, r[6] * s0, r[1] * s1, r[4] * s1, r[7] * s1, r[2] * s2, r[5] * s2, r[8] * s2];
}
