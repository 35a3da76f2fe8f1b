import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";
import { gaussianFilterReference } from "../../src/kernels/gaussian-filter/reference.js";
import { type FilterMode, gaussianFilter, type InterpolationOrder, lowResolution, resampleImage, resampleLabel } from "../../src/kernels/index.js";
import { resampleImageReference } from "../../src/kernels/resample-image/reference.js";
import { resampleLabelReference } from "../../src/kernels/resample-label/reference.js";
import { blobLabels, largestDifference, randomFloats, randomLabels } from "./random-arrays.js";

interface Golden {
  readonly shape: Shape4;
  readonly input: number[];
  readonly cases: { readonly call: string; readonly outShape: Shape4; readonly order: InterpolationOrder; readonly values: number[] }[];
  readonly gaussian: { readonly call: string; readonly mode: FilterMode; readonly values: number[] }[];
}

// Tool, version and call stand in the file.
const golden = JSON.parse(readFileSync(new URL("golden/interpolation.json", import.meta.url), "utf8")) as Golden;

function randomShapes(key: string, largest: number): { shape: Shape4; outShape: Shape4 } {
  const random = new Random(key);
  const extent = () => random.integer(1, largest);
  const channels = random.integer(1, 3);
  return { shape: [extent(), extent(), extent(), channels], outShape: [extent(), extent(), extent(), channels] };
}

describe("resampleImage", () => {
  it("equals scikit-image with edge mode, up to the border", () => {
    for (const { call, outShape, order, values } of golden.cases) {
      const output = new Float32Array(elementCount(outShape));
      resampleImage(Float32Array.from(golden.input), golden.shape, output, outShape, { order });
      expect(largestDifference(output, values), call).toBeLessThan(order === 3 ? 2e-5 : 1e-6);
    }
  });

  it("equals the reference on random shapes and channels", () => {
    for (const order of [0, 1, 3] as const) {
      for (let trial = 0; trial < 25; trial++) {
        const { shape, outShape } = randomShapes(`resample${order}-${trial}`, trial < 20 ? 14 : 45);
        const input = randomFloats(elementCount(shape), `resample${trial}`);
        const [native, reference] = [new Float32Array(elementCount(outShape)), new Float32Array(elementCount(outShape))];
        resampleImage(input, shape, native, outShape, { order });
        resampleImageReference(input, shape, reference, outShape, order);
        expect(largestDifference(native, reference), `${shape} to ${outShape}, order ${order}`).toBeLessThan(order === 3 ? 2e-5 : 2e-6);
      }
    }
  });

  it("works in bands of rows like in one", () => {
    // Large enough for several bands; an image that changes along the height only has a short reference.
    const line = randomFloats(300, "bands");
    const [shape, outShape]: [Shape4, Shape4] = [
      [64, 300, 20, 1],
      [70, 170, 128, 1],
    ];
    const input = Float32Array.from({ length: elementCount(shape) }, (_, i) => line[Math.floor(i / 20) % 300]!);
    const output = new Float32Array(elementCount(outShape));
    const expected = new Float32Array(170);
    for (const order of [1, 3] as const) {
      resampleImage(input, shape, output, outShape, { order });
      resampleImageReference(line, [1, 300, 1, 1], expected, [1, 170, 1, 1], order);
      let largest = 0;
      output.forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - expected[Math.floor(i / 128) % 170]!));
      });
      expect(largest).toBeLessThan(2e-5);
    }
  });

  it("keeps a constant image constant and every result in the input's range", () => {
    for (const order of [0, 1, 3] as const) {
      const constant = new Float32Array(6 * 7 * 8).fill(-12.7);
      const output = new Float32Array(11 * 5 * 19);
      resampleImage(constant, [6, 7, 8, 1], output, [11, 5, 19, 1], { order });
      expect(output.every((x) => x === constant[0])).toBe(true);
      const image = randomFloats(6 * 7 * 8 * 2, "range").map((x, i) => (i % 2 ? x * 10 : x));
      const two = new Float32Array(output.length * 2);
      resampleImage(image, [6, 7, 8, 2], two, [11, 5, 19, 2], { order });
      expect(Math.max(...two.filter((_, i) => i % 2 === 0))).toBeLessThanOrEqual(Math.max(...image.filter((_, i) => i % 2 === 0)));
      expect(Math.min(...two.filter((_, i) => i % 2 === 1))).toBeGreaterThanOrEqual(Math.min(...image.filter((_, i) => i % 2 === 1)));
      const same = new Float32Array(image.length);
      resampleImage(image, [6, 7, 8, 2], same, [6, 7, 8, 2], { order });
      expect(same).toEqual(image);
    }
  });

  it("refuses wrong shapes", () => {
    const image = new Float32Array(8);
    expect(() => resampleImage(image, [2, 2, 2, 1], image, [2, 2, 2, 1], { order: 1 })).toThrow("resampleImage: output must be memory of its own");
    expect(() => resampleImage(image, [2, 2, 2, 1], new Float32Array(9), [2, 2, 2, 1], { order: 1 })).toThrow(
      "output must be an array of 8 elements, got 9",
    );
    expect(() => resampleImage(image, [2, 2, 2, 1], new Float32Array(8), [2, 2, 2, 1], { order: 2 as never })).toThrow(
      "order must be 0, 1 or 3, got 2",
    );
    expect(() => resampleImage(image, [2, 2, 0, 1], new Float32Array(8), [2, 2, 2, 1], { order: 1 })).toThrow("shape must be 4 whole numbers >= 1");
  });
});

describe("resampleLabel", () => {
  // MIScnn 1.4's rule, evaluated with NumPy.
  it("equals batchgenerators' per-label interpolation", () => {
    const labels = Uint8Array.from([0, 0, 1, 1, 0, 2, 2, 1, 0, 2, 2, 0, 0, 0, 0, 0]);
    const output = new Uint8Array(9);
    resampleLabel(labels, [1, 4, 4, 1], output, [1, 3, 3, 1], { order: 1 });
    expect([...output]).toEqual([0, 0, 1, 0, 2, 0, 0, 0, 0]);
  });

  it("of two equal halves takes the larger label", () => {
    const output = new Uint8Array(3);
    resampleLabel(Uint8Array.from([1, 3, 2, 0, 5, 5]), [1, 1, 6, 1], output, [1, 1, 3, 1], { order: 1 });
    expect([...output]).toEqual([3, 2, 5]);
  });

  it("equals the reference for 8 and 16 bits, few and many labels, and never makes a label", () => {
    for (const order of [0, 1] as const) {
      for (let trial = 0; trial < 40; trial++) {
        const { shape, outShape } = randomShapes(`label${order}-${trial}`, 30);
        const [from, to]: [Shape4, Shape4] = [
          [shape[0], shape[1], shape[2], 1],
          [outShape[0], outShape[1], outShape[2], 1],
        ];
        const count = elementCount(from);
        const labels = trial % 2 ? randomLabels(count, `${trial}`, 2 + (trial % 5)) : blobLabels(count, `${trial}`, 200);
        const input = trial % 3 ? labels : Uint16Array.from(labels, (x) => x * 300);
        const make = () => (input instanceof Uint8Array ? new Uint8Array(elementCount(to)) : new Uint16Array(elementCount(to)));
        const [native, reference] = [make(), make()];
        resampleLabel(input, from, native, to, { order });
        resampleLabelReference(input, from, reference, to, order);
        expect(native).toEqual(reference);
        const known = new Set<number>(input).add(0);
        expect(native.every((label) => known.has(label))).toBe(true);
      }
    }
  });
});

describe("gaussianFilter", () => {
  it("equals scipy in every mode", () => {
    for (const { call, mode, values } of golden.gaussian) {
      const output = new Float32Array(golden.input.length);
      gaussianFilter(Float32Array.from(golden.input), golden.shape, output, { sigma: [0.7, 0, 1.5], mode });
      expect(largestDifference(output, values), call).toBeLessThan(1e-6);
    }
  });

  it("equals the reference on random shapes, channels and deviations, also wider than the image", () => {
    const random = new Random("gaussian");
    for (let trial = 0; trial < 30; trial++) {
      const { shape } = randomShapes(`gaussian${trial}`, 20);
      const sigma: Triple = [random.uniform(0, 3), random.chance(0.3) ? 0 : random.uniform(0, 6), random.uniform(0, 3)];
      const mode = (["constant", "edge", "symmetric"] as const)[trial % 3]!;
      const input = randomFloats(elementCount(shape), `gaussian${trial}`);
      const [native, reference] = [new Float32Array(input.length), new Float32Array(input.length)];
      gaussianFilter(input, shape, native, { sigma, mode });
      gaussianFilterReference(input, shape, reference, sigma, mode, 4);
      expect(largestDifference(native, reference), `${shape}, ${sigma}, ${mode}`).toBeLessThan(3e-6);
    }
  });
});

describe("lowResolution", () => {
  it("keeps the range, is the identity at zoom 1 and loses detail below", () => {
    const shape: Shape4 = [12, 13, 14, 1];
    const image = randomFloats(elementCount(shape), "low resolution");
    const output = new Float32Array(image.length);
    lowResolution(image, shape, output, { zoom: 1 });
    expect(output).toEqual(image);
    lowResolution(image, shape, output, { zoom: 0.5 });
    expect(largestDifference(output, image)).toBeGreaterThan(0.5);
    expect(Math.max(...output)).toBeLessThanOrEqual(Math.max(...image));
    expect(() => lowResolution(image, shape, output, { zoom: 1.5 })).toThrow("lowResolution: zoom must be in (0, 1], got 1.5");
  });
});
