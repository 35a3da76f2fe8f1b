import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Triple } from "../../src/core/shape.js";
import { assd, hd, hd95, LabelMapComparison, nsd, percentile, surfaceVoxels } from "../../src/metrics/index.js";
import { bruteForce } from "./brute-force.js";

function comparison(prediction: ArrayLike<number>, reference: ArrayLike<number>, shape: Triple, spacing: Triple) {
  return new LabelMapComparison({ prediction: Uint8Array.from(prediction), reference: Uint8Array.from(reference), shape, spacing });
}

describe("surface voxels", () => {
  it("a solid cube has a hollow surface, and the border of the image is outside", () => {
    const full = new Uint8Array(27).fill(1);
    const surface = surfaceVoxels(full, [3, 3, 3]);
    expect(surface[13]).toBe(0);
    expect(surface.reduce((sum, v) => sum + v, 0)).toBe(26);
  });

  it("a 2D mask has its outline, not its area", () => {
    const surface = surfaceVoxels(new Uint8Array(25).fill(1), [1, 5, 5]);
    expect(surface.reduce((sum, v) => sum + v, 0)).toBe(16);
    expect(Array.from(surfaceVoxels(Uint8Array.of(1, 1, 1), [1, 1, 3]))).toEqual([1, 0, 1]);
  });
});

describe("percentile", () => {
  it("is linear between ranks as NumPy's", () => {
    expect(percentile([0, 10], 95)).toBeCloseTo(9.5, 12);
    expect(percentile([1, 2, 3, 4], 50)).toBe(2.5);
    expect(percentile([7], 95)).toBe(7);
    expect(percentile([1, 5, 9], 100)).toBe(9);
    expect(percentile([], 95)).toBeNaN();
  });
});

describe("surface distances", () => {
  it("two single voxels: every distance is their distance in mm along the right axis", () => {
    for (const [axis, mm] of [
      [0, 3],
      [1, 2],
      [2, 0.5],
    ] as const) {
      const shape: Triple = [5, 5, 5];
      const prediction = new Uint8Array(125);
      const reference = new Uint8Array(125);
      const at = [1, 2, 3];
      prediction[(at[0]! * 5 + at[1]!) * 5 + at[2]!] = 1;
      at[axis]! -= 1;
      reference[(at[0]! * 5 + at[1]!) * 5 + at[2]!] = 1;
      const c = comparison(prediction, reference, shape, [3, 2, 0.5]).of(1);
      expect(hd(c)).toBeCloseTo(mm, 6);
      expect(hd95(c)).toBeCloseTo(mm, 6);
      expect(assd(c)).toBeCloseTo(mm, 6);
      expect(nsd(c, { tolerance: mm })).toBe(1);
      expect(nsd(c, { tolerance: mm * 0.99 })).toBe(0);
    }
  });

  it("is the two-sided variant: a far speck counts in the direction in which it lies, by hand", () => {
    // Reference: voxel 0. Prediction: voxels 0 and 9 of a row of 1 mm. Directed to reference: [0, 9]; to prediction: [0].
    const reference = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const prediction = [1, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    const c = comparison(prediction, reference, [1, 1, 10], [1, 1, 1]).of(1);
    expect(hd(c)).toBeCloseTo(9, 5);
    expect(hd95(c)).toBeCloseTo(8.55, 5); // pooling both lists [0, 0, 9] would give 8.1
    expect(assd(c)).toBeCloseTo(3, 5);
    expect(nsd(c)).toBeCloseTo(2 / 3, 12);
  });

  it("empty masks: NaN where both are empty, the image diagonal or 0 where one is", () => {
    const some = [0, 1, 0, 0];
    const none = [0, 0, 0, 0];
    const diagonal = Math.hypot(1 * 3, 2 * 2, 2 * 0.5);
    const both = comparison(none, none, [1, 2, 2], [3, 2, 0.5]).of(1);
    for (const metric of [hd, hd95, assd, nsd]) expect(metric(both)).toBeNaN();
    for (const c of [comparison(some, none, [1, 2, 2], [3, 2, 0.5]).of(1), comparison(none, some, [1, 2, 2], [3, 2, 0.5]).of(1)]) {
      for (const metric of [hd, hd95, assd]) expect(metric(c)).toBeCloseTo(diagonal, 12);
      expect(nsd(c)).toBe(0);
    }
    expect(() => nsd(both, { tolerance: -1 })).toThrow("nsd: tolerance must be >= 0 mm, got -1");
  });

  const spacings: fc.Arbitrary<Triple> = fc.tuple(fc.constantFrom(0.5, 1, 3.22), fc.constantFrom(0.78, 1, 1.62), fc.constantFrom(0.78, 1, 2));
  const cases = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 9 }))
    .chain(([d, h, w, density]) => {
      const map = fc.array(
        fc.integer({ min: 0, max: 10 }).map((v) => (v < density ? 1 + (v % 2) : 0)),
        { minLength: d * h * w, maxLength: d * h * w },
      );
      return fc.tuple(fc.constant<Triple>([d, h, w]), map, map, spacings, fc.constantFrom(0, 0.78, 1, 2.5));
    });

  it("HD, HD95, ASSD and NSD equal a brute-force computation on random maps", () => {
    let compared = 0;
    fc.assert(
      fc.property(cases, ([shape, p, r, spacing, tolerance]) => {
        const c = comparison(p, r, shape, spacing).of(1);
        if (c.state !== "ok") return;
        compared++;
        const expected = bruteForce(p, r, shape, spacing, 1, tolerance);
        expect(hd(c)).toBeCloseTo(expected.hd, 4);
        expect(hd95(c)).toBeCloseTo(expected.hd95, 4);
        expect(assd(c)).toBeCloseTo(expected.assd, 4);
        expect(nsd(c, { tolerance })).toBeCloseTo(expected.nsd, 12);
      }),
      { numRuns: 200 },
    );
    expect(compared).toBeGreaterThan(50);
  });

  it("are symmetric, zero on equal masks, scale with the spacing, and HD bounds the others", () => {
    fc.assert(
      fc.property(cases, ([shape, p, r, spacing]) => {
        const c = comparison(p, r, shape, spacing).of(1);
        if (c.state !== "ok") return;
        const swapped = comparison(r, p, shape, spacing).of(1);
        const doubled = comparison(p, r, shape, [spacing[0] * 2, spacing[1] * 2, spacing[2] * 2]).of(1);
        const same = comparison(p, p, shape, spacing).of(1);
        for (const metric of [hd, hd95, assd]) {
          expect(metric(swapped)).toBeCloseTo(metric(c), 9);
          expect(metric(doubled)).toBeCloseTo(2 * metric(c), 4);
          expect(metric(same)).toBe(0);
        }
        expect(nsd(same, { tolerance: 0 })).toBe(1);
        expect(hd95(c)).toBeLessThanOrEqual(hd(c));
        expect(assd(c)).toBeLessThanOrEqual(hd(c) + 1e-9);
        expect(nsd(c, { tolerance: hd(c) })).toBe(1);
      }),
    );
  });

  it("do not change when the image gets a wider margin, except for voxels that touched its border", () => {
    const shape: Triple = [6, 7, 8];
    const p = new Uint8Array(6 * 7 * 8);
    const r = new Uint8Array(p.length);
    for (let z = 1; z < 5; z++) for (let y = 1; y < 5; y++) for (let x = 1; x < 5; x++) p[(z * 7 + y) * 8 + x] = r[(z * 7 + y + 1) * 8 + x + 2] = 1;
    const wide = (map: Uint8Array): Uint8Array => {
      const out = new Uint8Array(10 * 11 * 12);
      for (let z = 0; z < 6; z++)
        for (let y = 0; y < 7; y++) for (let x = 0; x < 8; x++) out[((z + 2) * 11 + y + 2) * 12 + x + 2] = map[(z * 7 + y) * 8 + x]!;
      return out;
    };
    const near = comparison(p, r, shape, [3, 1, 1]).of(1);
    const far = comparison(wide(p), wide(r), [10, 11, 12], [3, 1, 1]).of(1);
    for (const metric of [hd, hd95, assd, nsd]) expect(metric(far)).toBeCloseTo(metric(near), 9);
  });
});
