import { describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import type { Triple } from "../../src/core/shape.js";
import { connectedComponentsReference } from "../../src/kernels/connected-components/reference.js";
import { distanceTransformReference } from "../../src/kernels/distance-transform/reference.js";
import { extractSurfaceReference } from "../../src/kernels/extract-surface/reference.js";
import { connectedComponents, distanceTransform, extractSurface } from "../../src/kernels/index.js";
import { blobLabels } from "./random-arrays.js";

function randomMask(random: Random, shape: Triple, share: number): Uint8Array {
  return Uint8Array.from({ length: shape[0] * shape[1] * shape[2] }, () => (random.chance(share) ? random.integer(1, 3) : 0));
}

describe("connectedComponents", () => {
  it("equals flood filling for every connectivity, thin and dense", () => {
    const random = new Random("components");
    for (const connectivity of [6, 18, 26] as const) {
      for (let trial = 0; trial < 40; trial++) {
        const shape: Triple = [random.integer(1, 7), random.integer(1, 8), random.integer(1, 20)];
        const mask = randomMask(random, shape, random.uniform(0.05, 0.7));
        const input = trial % 2 ? mask : Uint16Array.from(mask, (x) => x * 256);
        const [native, reference] = [new Int32Array(mask.length), new Int32Array(mask.length)];
        const count = connectedComponents(input, shape, native, { connectivity });
        expect(count).toBe(connectedComponentsReference(mask, shape, reference, connectivity));
        expect(native).toEqual(reference);
      }
    }
  });

  // scipy 1.10.1: scipy.ndimage.label(mask, generate_binary_structure(3, n))[1] for n = 1, 2, 3
  it("counts as scipy does", () => {
    const mask = new Uint8Array(27);
    for (const at of [0, 4, 13, 14, 26, 9 + 6]) mask[at] = 1;
    const count = (connectivity: 6 | 18 | 26) => connectedComponents(mask, [3, 3, 3], new Int32Array(27), { connectivity });
    expect([count(6), count(18), count(26)]).toEqual([4, 1, 1]);
    expect(() => count(8 as never)).toThrow("connectedComponents: connectivity must be 6, 18 or 26, got 8");
  });
});

describe("distanceTransform", () => {
  it("equals the nearest voxel of the set by brute force, with spacing", () => {
    const random = new Random("distance");
    for (let trial = 0; trial < 30; trial++) {
      const shape: Triple = [random.integer(1, 6), random.integer(1, 9), random.integer(1, 21)];
      const spacing: Triple = [random.uniform(0.5, 5), random.uniform(0.5, 2), random.uniform(0.5, 2)];
      const mask = randomMask(random, shape, random.uniform(0.01, 0.3));
      const [native, reference] = [new Float32Array(mask.length), new Float32Array(mask.length)];
      distanceTransform(trial % 2 ? mask : Uint16Array.from(mask), shape, native, spacing);
      distanceTransformReference(mask, shape, reference, spacing);
      const place = (i: number): Triple => [Math.floor(i / (shape[1] * shape[2])), Math.floor(i / shape[2]) % shape[1], i % shape[2]];
      const set = [...mask.keys()].filter((i) => mask[i]).map(place);
      for (let i = 0; i < mask.length; i++) {
        const at = place(i);
        const nearest = Math.min(...set.map((p) => Math.hypot(...[0, 1, 2].map((axis) => (p[axis]! - at[axis]!) * spacing[axis]!))));
        if (nearest === Number.POSITIVE_INFINITY) {
          expect(native[i]).toBe(nearest);
        } else {
          expect(Math.abs(native[i]! - nearest)).toBeLessThan(1e-5 * (1 + nearest));
          expect(Math.abs(reference[i]! - nearest)).toBeLessThan(1e-5 * (1 + nearest));
        }
      }
    }
  });

  it("is Infinity everywhere without a set, and refuses a spacing of 0", () => {
    const output = new Float32Array(24);
    distanceTransform(new Uint8Array(24), [2, 3, 4], output);
    expect(output.every((x) => x === Number.POSITIVE_INFINITY)).toBe(true);
    expect(() => distanceTransform(new Uint8Array(24), [2, 3, 4], output, [1, 0, 1])).toThrow("distanceTransform: spacing must be three numbers > 0");
  });
});

describe("extractSurface", () => {
  it("equals the reference for one label and for all", () => {
    const random = new Random("surface");
    for (let trial = 0; trial < 60; trial++) {
      const shape: Triple = [random.integer(1, 5), random.integer(1, 6), random.integer(1, 40)];
      const labels = trial % 3 ? blobLabels(shape[0] * shape[1] * shape[2], `${trial}`, 3) : new Uint8Array(shape[0] * shape[1] * shape[2]).fill(1);
      const input = trial % 2 ? labels : Uint16Array.from(labels);
      for (const label of [undefined, 0, 1, 2, 300]) {
        const [native, reference] = [new Uint8Array(labels.length), new Uint8Array(labels.length)];
        const count = extractSurface(input, shape, native, label === undefined ? {} : { label });
        expect(count).toBe(extractSurfaceReference(input, shape, reference, label));
        expect(native).toEqual(reference);
      }
    }
  });

  it("of a solid cube is its shell", () => {
    const output = new Uint8Array(125);
    expect(extractSurface(new Uint8Array(125).fill(1), [5, 5, 5], output)).toBe(125 - 27);
  });
});
