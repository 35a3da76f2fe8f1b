import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closestCanonical } from "../../src/core/closest-canonical.js";
import type { Affine } from "../../src/core/geometry.js";

interface Golden {
  readonly affine: readonly number[];
  readonly shape: readonly [number, number, number];
  readonly codes: string;
  readonly canonicalShape: readonly number[];
  readonly canonical: readonly number[];
}

/** nibabel 5.4.2: `aff2axcodes(affine)` and `as_closest_canonical(image)`, random rotations, mirrored ones and sheared ones. */
const golden = JSON.parse(readFileSync(new URL("closest-canonical.nibabel.json", import.meta.url), "utf8")) as Golden[];

const affineOf = (rows: readonly number[]): Affine => [...rows, 0, 0, 0, 1] as unknown as Affine;
const world = (a: Affine, [x, y, z]: readonly number[]): number[] =>
  [0, 4, 8].map((row) => a[row]! * x! + a[row + 1]! * y! + a[row + 2]! * z! + a[row + 3]!);

/** A rotation by three angles, voxel sides, mirrors and axis order: every orientation there is. */
const affines = fc
  .record({
    angles: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -180, max: 180, noNaN: true }))),
    sides: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.3, max: 6, noNaN: true }))),
    mirrored: fc.boolean(),
    origin: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -300, max: 300, noNaN: true }))),
  })
  .map(({ angles, sides, mirrored, origin }) => {
    const [a, b, c] = angles.map((angle) => (angle! * Math.PI) / 180) as [number, number, number];
    const rotation = [
      [
        Math.cos(b) * Math.cos(c),
        Math.sin(a) * Math.sin(b) * Math.cos(c) - Math.cos(a) * Math.sin(c),
        Math.cos(a) * Math.sin(b) * Math.cos(c) + Math.sin(a) * Math.sin(c),
      ],
      [
        Math.cos(b) * Math.sin(c),
        Math.sin(a) * Math.sin(b) * Math.sin(c) + Math.cos(a) * Math.cos(c),
        Math.cos(a) * Math.sin(b) * Math.sin(c) - Math.sin(a) * Math.cos(c),
      ],
      [-Math.sin(b), Math.sin(a) * Math.cos(b), Math.cos(a) * Math.cos(b)],
    ];
    return affineOf(
      rotation.flatMap((row, r) => [...row.map((value, axis) => value * sides[axis]! * (mirrored && axis === 0 ? -1 : 1)), origin[r]!]),
    );
  });
const shapes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));

describe("closestCanonical", () => {
  it.each(golden.map((entry) => [entry.codes, entry] as const))("turns %s as nibabel does", (codes, entry) => {
    const grid = closestCanonical(affineOf(entry.affine), entry.shape);
    expect(grid.orientation).toBe(codes);
    expect(grid.shape).toEqual([...entry.canonicalShape].reverse());
    entry.canonical.forEach((value, n) => {
      expect(grid.geometry.affine[n]).toBeCloseTo(value, 3);
    });
  });

  it("keeps every voxel where it was", () => {
    fc.assert(
      fc.property(affines, shapes, (affine, shape) => {
        const { axes, geometry } = closestCanonical(affine, shape);
        for (const corner of [0, 3, 5, 7]) {
          const canonical = axes.map(({ axis }, n) => (corner & (1 << n) ? shape[axis] - 1 : 0));
          const file = [0, 0, 0];
          axes.forEach(({ axis, flipped }, n) => {
            file[axis] = flipped ? shape[axis] - 1 - canonical[n]! : canonical[n]!;
          });
          const here = world(geometry.affine, canonical);
          world(affine, file).forEach((value, n) => {
            expect(here[n]).toBeCloseTo(value, 8);
          });
        }
      }),
    );
  });

  it("leaves nothing to turn in what it made", () => {
    fc.assert(
      fc.property(affines, shapes, (affine, shape) => {
        const once = closestCanonical(affine, shape);
        const [depth, height, width] = once.shape;
        const again = closestCanonical(once.geometry.affine, [width, height, depth]);
        expect(again.orientation).toBe("RAS");
        expect(again.axes).toEqual([0, 1, 2].map((axis) => ({ axis, flipped: false })));
      }),
    );
  });

  it("gives spacing as column norms in z, y, x order", () => {
    const { geometry } = closestCanonical(affineOf([0, 0, -0.8, 10, 0, -0.8, 0, 20, -3, 0, 0, 30]), [4, 5, 6]);
    expect(geometry.spacing).toEqual([3, 0.8, 0.8]);
  });

  it("keeps the third axis of a planar image as depth, whatever its plane", () => {
    // A coronal picture: i to the left, j to the feet.
    const { shape, axes } = closestCanonical(affineOf([-2, 0, 0, 0, 0, 0, 1, 0, 0, -3, 0, 0]), [7, 5, 1], 2);
    expect(shape).toEqual([1, 5, 7]);
    expect(axes).toEqual([
      { axis: 0, flipped: true },
      { axis: 1, flipped: true },
      { axis: 2, flipped: false },
    ]);
  });
});
