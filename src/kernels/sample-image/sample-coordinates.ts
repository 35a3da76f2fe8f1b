import { requireOption, VoxError } from "../../core/errors.js";
import { formatShape, type Shape4, spatial, type Triple } from "../../core/shape.js";
import { type ElasticLattice, latticeNodes } from "../elastic-lattice/elastic-lattice.js";
import { expandLattice } from "../elastic-lattice/reference.js";

/** Nine numbers, row after row. */
export type Matrix3 = readonly [number, number, number, number, number, number, number, number, number];

export const IDENTITY_MATRIX: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Where an output voxel takes its value from: `center + M·(i - (P-1)/2 + displacement(i))`, all in (depth, height, width). */
export interface SampleCoordinates {
  /** Input coordinates of the middle of the output, in voxels; `(S-1)/2` is the middle of the input. */
  readonly center: Triple;
  /** Default: the identity. `rotationMatrix` makes one. */
  readonly matrix?: Matrix3;
  /** In voxels: a lattice from `elasticLattice`, or three fields of the output's spatial shape, one after the other (depth, height, width). */
  readonly displacement?: Float32Array | ElasticLattice;
}

/** Calls `visit(voxel, z, y, x)` with the input coordinates of every output voxel, in C order. */
export function eachCoordinate(
  outShape: Shape4,
  { center, matrix = IDENTITY_MATRIX, displacement }: SampleCoordinates,
  visit: (voxel: number, z: number, y: number, x: number) => void,
): void {
  const [depth, height, width] = outShape;
  const voxels = depth * height * width;
  const field = displacement && !(displacement instanceof Float32Array) ? expandLattice(displacement) : displacement;
  let voxel = 0;
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++) {
        const dz = k - (depth - 1) / 2 + (field ? field[voxel]! : 0);
        const dy = j - (height - 1) / 2 + (field ? field[voxels + voxel]! : 0);
        const dx = i - (width - 1) / 2 + (field ? field[2 * voxels + voxel]! : 0);
        const z = center[0] + (matrix[0] * dz + matrix[1] * dy + matrix[2] * dx);
        const y = center[1] + (matrix[3] * dz + matrix[4] * dy + matrix[5] * dx);
        const x = center[2] + (matrix[6] * dz + matrix[7] * dy + matrix[8] * dx);
        visit(voxel++, z, y, x);
      }
    }
  }
}

export function requireCoordinates(where: string, outShape: Shape4, { center, matrix = IDENTITY_MATRIX, displacement }: SampleCoordinates): void {
  requireOption(center.length === 3 && center.every(Number.isFinite), where, "center", "three finite numbers", center);
  requireOption(matrix.length === 9 && matrix.every(Number.isFinite), where, "matrix", "nine finite numbers", matrix);
  if (!displacement) return;
  if (displacement instanceof Float32Array) {
    const needed = 3 * outShape[0] * outShape[1] * outShape[2];
    if (displacement.length === needed) return;
    throw new VoxError(`displacement must be an array of ${needed} elements, got ${displacement.length}`, { code: "ERR_SHAPE", where });
  }
  const { shape, step, nodes, values } = displacement;
  const fits =
    shape.every((extent, axis) => extent === outShape[axis]) &&
    latticeNodes(shape, step).every((count, axis) => count === nodes[axis]) &&
    values.length === 3 * nodes[0] * nodes[1] * nodes[2];
  if (!fits) {
    throw new VoxError(`displacement must be a lattice for ${formatShape(spatial(outShape))}, got one for ${formatShape(shape)}`, {
      code: "ERR_SHAPE",
      where,
    });
  }
}

/** The displacement as the addon takes it: the dense fields, or the lattice's values, nodes and step. */
export function nativeDisplacement({
  displacement,
}: SampleCoordinates): [Float32Array | undefined, Float32Array | undefined, readonly number[], number] {
  if (!displacement) return [undefined, undefined, [0, 0, 0], 0];
  if (displacement instanceof Float32Array) return [displacement, undefined, [0, 0, 0], 0];
  return [undefined, displacement.values, displacement.nodes, displacement.step];
}
