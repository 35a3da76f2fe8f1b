import fc from "fast-check";
import { expect, test } from "vitest";
import { type Affine, axisAligned, spacingOf, transformGeometry } from "../../src/core/geometry.js";
import type { Triple } from "../../src/core/shape.js";

/** Where a voxel lies, index in array order. */
function place(affine: Affine, [z, y, x]: Triple): number[] {
  return [0, 1, 2].map((row) => affine[row * 4]! * x + affine[row * 4 + 1]! * y + affine[row * 4 + 2]! * z + affine[row * 4 + 3]!);
}

const OBLIQUE: Affine = [0.9, -0.2, 0.1, 12, 0.3, 1.1, -0.4, -5, -0.1, 0.2, 2.9, 40, 0, 0, 0, 1];

test("spacing is the column norms in array order", () => {
  expect(spacingOf([2, 0, 0, 0, 0, 0, -5, 0, 0, 3, 0, 0, 0, 0, 0, 1])).toEqual([5, 3, 2]);
  const { spacing, affine } = axisAligned([5, 3, 2]);
  expect(spacing).toEqual([5, 3, 2]);
  expect(spacingOf(affine)).toEqual([5, 3, 2]);
  expect(place(affine, [1, 2, 3])).toEqual([6, 6, 5]);
  expect(axisAligned().spacing).toEqual([1, 1, 1]);
});

test("a transformed geometry says where the old voxel of each new one lies", () => {
  const scale = fc.double({ min: 0.1, max: 8, noNaN: true });
  const offset = fc.double({ min: -50, max: 50, noNaN: true });
  const triple = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<[T, T, T]> => fc.tuple(each, each, each);
  fc.assert(
    fc.property(triple(scale), triple(offset), triple(fc.integer({ min: 0, max: 200 })), (scales, offsets, index) => {
      const before = { spacing: spacingOf(OBLIQUE), affine: OBLIQUE };
      const after = transformGeometry(before, scales, offsets);
      const old: Triple = [scales[0] * index[0] + offsets[0], scales[1] * index[1] + offsets[1], scales[2] * index[2] + offsets[2]];
      const [there, here] = [place(after.affine, index), place(OBLIQUE, old)];
      const isSame = there.every((value, axis) => Math.abs(value - here[axis]!) < 1e-6);
      const norms = spacingOf(after.affine);
      return isSame && after.affine.length === 16 && after.spacing.every((value, axis) => Math.abs(value - norms[axis]!) < 1e-9);
    }),
  );
});

test("crop, pad and resample are scale and offset", () => {
  const geometry = axisAligned([4, 2, 1]);
  expect(place(transformGeometry(geometry, [1, 1, 1], [3, 2, 1]).affine, [0, 0, 0])).toEqual([1, 4, 12]);
  expect(place(transformGeometry(geometry, [1, 1, 1], [-1, -1, -1]).affine, [1, 1, 1])).toEqual([0, 0, 0]);
  // Two voxels become one: its center lies between theirs.
  const halved = transformGeometry(geometry, [2, 2, 2], [0.5, 0.5, 0.5]);
  expect(halved.spacing).toEqual([8, 4, 2]);
  expect(place(halved.affine, [0, 0, 0])).toEqual([0.5, 1, 2]);
});
