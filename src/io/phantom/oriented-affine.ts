import type { Affine } from "../../core/geometry.js";
import type { Triple } from "../../core/shape.js";

/** How a phantom's file is stored: three letters of axis directions, and a tilt of the patient about the superior axis. */
export interface PhantomOrientation {
  /** Directions of the file's axes i, j, k. */
  readonly letters: "RAS" | "LPS" | "LAS" | "IPL" | "ASR";
  /** Degrees. */
  readonly tilt: number;
}

const DIRECTIONS: Readonly<Record<string, readonly [axis: 0 | 1 | 2, sign: 1 | -1]>> = {
  R: [0, 1],
  L: [0, -1],
  A: [1, 1],
  P: [1, -1],
  S: [2, 1],
  I: [2, -1],
};

/** File shape and affine of a canonical volume that is stored in another orientation, its center near the scanner's origin. */
export function orientedAffine(
  shape: Triple,
  spacing: Triple,
  { letters, tilt }: PhantomOrientation,
  center: readonly [number, number, number],
): { readonly shape: readonly [number, number, number]; readonly affine: Affine } {
  const extents = [shape[2], shape[1], shape[0]] as const;
  const sides = [spacing[2], spacing[1], spacing[0]] as const;
  const fileAxes = [...letters].map((letter) => DIRECTIONS[letter]!);
  const fileShape = fileAxes.map(([axis]) => extents[axis]) as unknown as readonly [number, number, number];
  const angle = (tilt * Math.PI) / 180;
  const turn = [
    [Math.cos(angle), -Math.sin(angle), 0],
    [Math.sin(angle), Math.cos(angle), 0],
    [0, 0, 1],
  ];
  const columns = fileAxes.map(([axis, sign]) => turn.map((row) => row[axis]! * sign * sides[axis]));
  const rows = [0, 1, 2].flatMap((row) => {
    const steps = columns.map((column) => column[row]!);
    const middle = steps.reduce((sum, step, axis) => sum + (step * (fileShape[axis]! - 1)) / 2, 0);
    return [...steps, center[row]! - middle];
  });
  return { shape: fileShape, affine: [...rows, 0, 0, 0, 1] as unknown as Affine };
}
