import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hashKey, Random } from "../../src/core/random.js";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";
import { elasticFieldReference } from "../../src/kernels/elastic-field/reference.js";
import { elasticLatticeReference, expandLattice } from "../../src/kernels/elastic-lattice/reference.js";
import {
  elasticField,
  elasticLattice,
  type Matrix3,
  mirror,
  rotationMatrix,
  type SampleCoordinates,
  sampleImage,
  sampleLabel,
  statistics,
} from "../../src/kernels/index.js";
import { sampleImageReference } from "../../src/kernels/sample-image/reference.js";
import { sampleLabelReference } from "../../src/kernels/sample-label/reference.js";
import { blobLabels, largestDifference, randomFloats } from "./random-arrays.js";

interface Golden {
  readonly sampling: {
    readonly shape: Shape4;
    readonly input: number[];
    readonly matrix: Matrix3;
    readonly outShape: Shape4;
    readonly center: Triple;
    readonly orders: Readonly<Record<"0" | "1" | "3", number[]>>;
  };
}

// Tool, version and call stand in the file.
const golden = (JSON.parse(readFileSync(new URL("golden/interpolation.json", import.meta.url), "utf8")) as Golden).sampling;

const middle = (shape: readonly number[]): Triple => [(shape[0]! - 1) / 2, (shape[1]! - 1) / 2, (shape[2]! - 1) / 2];

/** Coordinates as augmentation draws them; some reach far beyond the image. */
function randomCoordinates(random: Random, shape: Shape4, outShape: Shape4, key: string): SampleCoordinates {
  const angle = () => random.uniform(-0.8, 0.8);
  const spread = random.chance(0.2) ? 30 : 2;
  const [z, y, x] = middle(shape);
  return {
    center: [z + random.uniform(-spread, spread), y + random.uniform(-spread, spread), x + random.uniform(-spread, spread)],
    matrix: rotationMatrix([angle(), angle(), angle()], random.uniform(0.6, 1.4)),
    ...(random.chance(0.5) ? { displacement: randomFloats(3 * outShape[0] * outShape[1] * outShape[2], key, -1.5, 1.5) } : {}),
  };
}

describe("rotationMatrix", () => {
  it("turns row vectors like batchgenerators", () => {
    const m = rotationMatrix([Math.PI / 6, 0, 0]);
    const apply = (v: Triple) => [0, 1, 2].map((i) => m[3 * i]! * v[0] + m[3 * i + 1]! * v[1] + m[3 * i + 2]! * v[2]);
    // About the depth axis: batchgenerators' 2D rotation of (1, 0) and (0, 1) by 30°.
    expect(largestDifference(apply([0, 1, 0]), [0, Math.sqrt(3) / 2, -0.5])).toBeLessThan(1e-12);
    expect(largestDifference(apply([0, 0, 1]), [0, 0.5, Math.sqrt(3) / 2])).toBeLessThan(1e-12);
  });

  // numpy 1.24.2: (Rx(.3) @ Ry(-.2) @ Rz(.1)).T, then each row times its scale
  it("multiplies Rx·Ry·Rz and then scales", () => {
    const expected = [
      0.9751703272018158, 0.0369570135246251, 0.21835066314633444, -0.09784339500725574, 0.9564250858492325, 0.2750958473182437, -0.1986693307950612,
      -0.2896294776255156, 0.9362933635841991,
    ];
    expect(largestDifference(rotationMatrix([0.3, -0.2, 0.1]), expected)).toBeLessThan(1e-12);
    expect(
      largestDifference(
        rotationMatrix([0.3, -0.2, 0.1], [1, 2, 3]),
        expected.map((m, i) => m * (1 + Math.floor(i / 3))),
      ),
    ).toBeLessThan(1e-12);
  });
});

describe("sampleImage", () => {
  it("equals scipy's map_coordinates inside the image", () => {
    for (const order of [0, 1, 3] as const) {
      const output = new Float32Array(elementCount(golden.outShape));
      sampleImage(Float32Array.from(golden.input), golden.shape, output, golden.outShape, { center: golden.center, matrix: golden.matrix, order });
      expect(largestDifference(output, golden.orders[order])).toBeLessThan(1e-5);
    }
  });

  it("equals the reference for rotation, scaling, displacement, channels and crops across the border", () => {
    const random = new Random("sampleImage");
    for (const order of [0, 1, 3] as const) {
      for (let trial = 0; trial < 25; trial++) {
        const channels = random.integer(1, 3);
        const extent = () => random.integer(1, trial % 3 ? 9 : 20);
        const shape: Shape4 = [extent(), extent(), extent(), channels];
        const outShape: Shape4 = [random.integer(1, 7), random.integer(1, 7), random.integer(1, 37), channels];
        const coordinates = randomCoordinates(random, shape, outShape, `${order}${trial}`);
        const input = randomFloats(elementCount(shape), `${order}${trial}`);
        const fill = Array.from({ length: channels }, (_, c) => -50 - c);
        const [native, reference] = [new Float32Array(elementCount(outShape)), new Float32Array(elementCount(outShape))];
        sampleImage(input, shape, native, outShape, { ...coordinates, order, fill });
        sampleImageReference(input, shape, reference, outShape, coordinates, order, Float64Array.from(fill));
        expect(largestDifference(native, reference), `${shape} to ${outShape}, order ${order}, trial ${trial}`).toBeLessThan(
          order === 3 ? 3e-5 : 3e-6,
        );
      }
    }
  });

  it("asks at batchgenerators' mesh of 3x4: -1 0 1 and -1.5 -0.5 0.5 1.5 around the center", () => {
    // Two images whose values are their own coordinates, so that what is sampled is where it was asked for.
    const shape: Shape4 = [1, 9, 9, 2];
    const coordinates = Float32Array.from({ length: 9 * 9 * 2 }, (_, i) => (i % 2 === 0 ? Math.floor(i / 18) : Math.floor(i / 2) % 9) - 4);
    const output = new Float32Array(3 * 4 * 2);
    sampleImage(coordinates, shape, output, [1, 3, 4, 2], { center: middle(shape), order: 1 });
    const mesh = [-1, 0, 1].flatMap((y) => [-1.5, -0.5, 0.5, 1.5].flatMap((x) => [y, x]));
    expect(largestDifference(output, mesh)).toBeLessThan(1e-6);
  });

  it("with identity parameters is the identity, with a shift a crop", () => {
    const shape: Shape4 = [7, 8, 9, 2];
    const input = randomFloats(elementCount(shape), "identity");
    for (const order of [0, 1, 3] as const) {
      const output = new Float32Array(input.length);
      sampleImage(input, shape, output, shape, { center: middle(shape), order });
      expect(largestDifference(output, input)).toBeLessThanOrEqual(order === 3 ? 1e-5 : 0);
      const crop = new Float32Array(2 * 3 * 4 * 2);
      sampleImage(input, shape, crop, [2, 3, 4, 2], { center: [1 + 0.5, 2 + 1, 6 + 1.5], order, fill: 9 });
      for (let z = 0; z < 2; z++) {
        for (let y = 0; y < 3; y++) {
          for (let x = 0; x < 4; x++) {
            const from = (((z + 1) * 8 + y + 2) * 9 + x + 6) * 2;
            const value = crop[((z * 3 + y) * 4 + x) * 2 + 1]!;
            if (x === 3) expect(value).toBe(9);
            else expect(value).toBeCloseTo(input[from + 1]!, 5);
          }
        }
      }
    }
  });

  it("rotated by 90 degrees is the exact permutation, for even and odd extents", () => {
    for (const n of [6, 7]) {
      const shape: Shape4 = [3, n, n, 1];
      const input = randomFloats(elementCount(shape), "quarter");
      const labels = blobLabels(elementCount(shape), "quarter", 5);
      const options = { center: middle(shape), matrix: rotationMatrix([Math.PI / 2, 0, 0]) };
      const expected = new Float32Array(input.length);
      const expectedLabels = new Uint8Array(input.length);
      for (let z = 0; z < 3; z++) {
        for (let y = 0; y < n; y++) {
          for (let x = 0; x < n; x++) {
            // The coordinates (y, x) become (x, -y) around the middle.
            const from = (z * n + x) * n + (n - 1 - y);
            expected[(z * n + y) * n + x] = input[from]!;
            expectedLabels[(z * n + y) * n + x] = labels[from]!;
          }
        }
      }
      for (const order of [0, 1, 3] as const) {
        const output = new Float32Array(input.length);
        sampleImage(input, shape, output, shape, { ...options, order, fill: -99 });
        expect(largestDifference(output, expected)).toBeLessThan(order === 3 ? 1e-5 : 2e-6);
        if (order === 3) continue;
        const rotated = new Uint8Array(input.length);
        sampleLabel(labels, shape, rotated, shape, { ...options, order });
        expect(rotated).toEqual(expectedLabels);
      }
    }
  });

  it("half a turn is the mirror of two axes", () => {
    const shape: Shape4 = [4, 5, 6, 1];
    const input = randomFloats(elementCount(shape), "half turn");
    const [turned, mirrored] = [new Float32Array(input.length), new Float32Array(input.length)];
    sampleImage(input, shape, turned, shape, { center: middle(shape), matrix: rotationMatrix([0, Math.PI, 0]), order: 1, fill: -99 });
    mirror(input, shape, mirrored, [true, false, true]);
    expect(largestDifference(turned, mirrored)).toBeLessThan(2e-6);
  });

  it("fills what lies outside, and stays safe with displacements that are not finite", () => {
    const shape: Shape4 = [3, 3, 3, 1];
    const displacement = new Float32Array(3 * 27).map((_, i) => [Number.NaN, Number.POSITIVE_INFINITY, 1e30, -1e30, 0][i % 5]!);
    for (const order of [0, 1, 3] as const) {
      const output = new Float32Array(27);
      sampleImage(randomFloats(27, "far"), shape, output, shape, { center: [100, 1, 1], order, fill: 4 });
      expect(output.every((x) => x === 4)).toBe(true);
      sampleImage(randomFloats(27, "far"), shape, output, shape, { center: [1, 1, 1], order, fill: 4, displacement });
      expect(output.every((x) => x === 4)).toBe(true);
    }
    const image = new Float32Array(27);
    expect(() => sampleImage(image, shape, new Float32Array(27), shape, { center: [1, Number.NaN, 1], order: 1 })).toThrow(
      "center must be three finite numbers",
    );
    expect(() => sampleImage(image, shape, new Float32Array(27), shape, { center: [1, 1, 1], order: 1, displacement: image })).toThrow(
      "sampleImage: displacement must be an array of 81 elements, got 27",
    );
  });
});

describe("sampleLabel", () => {
  it("equals the reference for 8 and 16 bits and both orders, and never makes a label", () => {
    const random = new Random("sampleLabel");
    for (const order of [0, 1] as const) {
      for (let trial = 0; trial < 40; trial++) {
        const extent = () => random.integer(1, trial % 3 ? 9 : 20);
        const shape: Shape4 = [extent(), extent(), extent(), 1];
        const outShape: Shape4 = [random.integer(1, 7), random.integer(1, 7), random.integer(1, 37), 1];
        const coordinates = randomCoordinates(random, shape, outShape, `${order}${trial}`);
        const labels = blobLabels(elementCount(shape), `${trial}`, 2 + (trial % 7));
        const input = trial % 2 ? labels : Uint16Array.from(labels, (label) => label * 1000);
        const make = () => (input instanceof Uint8Array ? new Uint8Array(elementCount(outShape)) : new Uint16Array(elementCount(outShape)));
        const [native, reference] = [make(), make()];
        sampleLabel(input, shape, native, outShape, { ...coordinates, order });
        sampleLabelReference(input, shape, reference, outShape, coordinates, order, 0);
        expect(native).toEqual(reference);
        const known = new Set<number>(input).add(0);
        expect(native.every((label) => known.has(label))).toBe(true);
      }
    }
  });
});

describe("labels beside an image", () => {
  it("are those that sampleLabel gives, for every order, 8 and 16 bits, channels, and far outside", () => {
    const random = new Random("beside");
    for (const order of [0, 1, 3] as const) {
      for (let trial = 0; trial < 30; trial++) {
        const channels = random.integer(1, 2);
        const extent = () => random.integer(1, trial % 3 ? 9 : 20);
        const spatial: Triple = [extent(), extent(), extent()];
        const outSpatial: Triple = [random.integer(1, 7), random.integer(1, 7), random.integer(1, 37)];
        const [shape, outShape]: [Shape4, Shape4] = [
          [...spatial, channels],
          [...outSpatial, channels],
        ];
        const coordinates = randomCoordinates(random, shape, outShape, `beside${order}${trial}`);
        const image = randomFloats(elementCount(shape), `${trial}`);
        const blobs = blobLabels(elementCount(spatial), `${trial}`, 5);
        const input = trial % 2 ? blobs : Uint16Array.from(blobs, (label) => label * 1000);
        const make = () => (input instanceof Uint8Array ? new Uint8Array(elementCount(outSpatial)) : new Uint16Array(elementCount(outSpatial)));
        const [beside, alone] = [make().fill(77), make()];
        const [together, imageAlone] = [new Float32Array(elementCount(outShape)), new Float32Array(elementCount(outShape))];
        sampleImage(image, shape, together, outShape, { ...coordinates, order, fill: -1, labels: { input, output: beside, fill: 9 } });
        sampleImage(image, shape, imageAlone, outShape, { ...coordinates, order, fill: -1 });
        sampleLabel(input, [...spatial, 1], alone, [...outSpatial, 1], { ...coordinates, order: 0, fill: 9 });
        expect(beside, `order ${order}, trial ${trial}`).toEqual(alone);
        expect(together).toEqual(imageAlone);
      }
    }
  });

  it("must have the extents of image and output, and one element type", () => {
    const shape: Shape4 = [2, 3, 4, 1];
    const image = new Float32Array(24);
    const options = { center: middle(shape), order: 1 } as const;
    const sample = (input: Uint8Array | Uint16Array, output: Uint8Array | Uint16Array) => () =>
      sampleImage(image, shape, new Float32Array(24), shape, { ...options, labels: { input, output } });
    expect(sample(new Uint8Array(23), new Uint8Array(24))).toThrow("sampleImage: labels.input must be an array of 24 elements, got 23");
    expect(sample(new Uint8Array(24), new Uint8Array(25))).toThrow("sampleImage: labels.output must be an array of 24 elements, got 25");
    expect(sample(new Uint8Array(24), new Uint16Array(24))).toThrow("sampleImage: output must be a Uint8Array, got Uint16Array");
    const same = new Uint8Array(24);
    expect(sample(same, same)).toThrow("memory of its own");
  });
});

describe("elasticField", () => {
  const key = hashKey(["elastic", 7]);

  it("equals the reference within a thousandth of its deviation", () => {
    for (const sigma of [0.8, 3, 5.9, 9, 13]) {
      const shape: Triple = [17, 20, 31];
      const [native, reference] = [new Float32Array(3 * 17 * 20 * 31), new Float32Array(3 * 17 * 20 * 31)];
      elasticField(native, shape, { key, alpha: 100, sigma });
      elasticFieldReference(reference, shape, key, 100, sigma);
      expect(largestDifference(native, reference), `sigma ${sigma}`).toBeLessThan(1e-3 * statistics(reference)[0]!.std);
    }
  });

  it("has the deviation of smoothed uniform noise away from the border, and independent components", () => {
    const shape: Triple = [80, 80, 80];
    const voxels = 80 ** 3;
    const [alpha, sigma] = [500, 3];
    const field = new Float32Array(3 * voxels);
    elasticField(field, shape, { key, alpha, sigma });
    const inner: Float32Array[] = [0, 1, 2].map((component) => {
      const values: number[] = [];
      for (let z = 12; z < 68; z++) {
        for (let y = 12; y < 68; y++) for (let x = 12; x < 68; x++) values.push(field[component * voxels + (z * 80 + y) * 80 + x]!);
      }
      return Float32Array.from(values);
    });
    // Variance of U(-1, 1) is 1/3; each axis multiplies it by the sum of squared weights, 1/(2σ√π).
    const expected = alpha * Math.sqrt(1 / 3 / (2 * sigma * Math.sqrt(Math.PI)) ** 3);
    const moments = inner.map((values) => statistics(values)[0]!);
    // About 56³/(2σ√π)³ = 147 independent values: the deviation's standard error is 6 %.
    for (const { mean, std } of moments) {
      expect(Math.abs(mean)).toBeLessThan(0.35 * expected);
      expect(Math.abs(std / expected - 1)).toBeLessThan(0.2);
    }
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const covariance = inner[a]!.reduce((sum, x, i) => sum + x * inner[b]![i]!, 0) / inner[a]!.length;
      expect(Math.abs(covariance / moments[a]!.std / moments[b]!.std)).toBeLessThan(0.3);
    }
  });

  it("as a lattice equals its reference, and the field within a thousandth of its deviation", () => {
    for (const sigma of [0.1, 0.8, 3, 5.9, 9, 13]) {
      for (const shape of [
        [17, 20, 31],
        [1, 9, 40],
        [4, 3, 2],
      ] as Triple[]) {
        const lattice = elasticLattice(shape, { key, alpha: 100, sigma });
        const values = new Float32Array(lattice.values.length);
        elasticLatticeReference(values, shape, lattice.nodes, lattice.step, key, 100, sigma);
        const { std } = statistics(values)[0]!;
        expect(largestDifference(lattice.values, values), `sigma ${sigma}, ${shape}`).toBeLessThan(2e-5 * std);
        const field = new Float32Array(3 * shape[0] * shape[1] * shape[2]);
        elasticFieldReference(field, shape, key, 100, sigma);
        expect(largestDifference(expandLattice(lattice), field), `sigma ${sigma}, ${shape}`).toBeLessThan(1e-3 * statistics(field)[0]!.std);
      }
    }
  });

  it("moves images and labels as a lattice like as a field", () => {
    for (const sigma of [1, 6, 9, 15]) {
      const shape: Shape4 = [9, 14, 37, 1];
      const input = randomFloats(elementCount(shape), "lattice");
      const labels = blobLabels(elementCount(shape), "lattice", 4);
      const lattice = elasticLattice([9, 14, 37], { key, alpha: 300, sigma });
      const options = { center: middle(shape), matrix: rotationMatrix([0.1, 0.2, -0.1], 1.1) };
      for (const order of [0, 1, 3] as const) {
        const [native, reference] = [new Float32Array(input.length), new Float32Array(input.length)];
        sampleImage(input, shape, native, shape, { ...options, displacement: lattice, order, fill: -9 });
        sampleImageReference(input, shape, reference, shape, { ...options, displacement: lattice }, order, Float64Array.of(-9));
        const differing = native.filter((value, i) => Math.abs(value - reference[i]!) > 1e-3).length;
        // Rounding of the displacement may move a voxel across the border between two voxels, or out of the image.
        expect(differing, `sigma ${sigma}, order ${order}`).toBeLessThanOrEqual(4);
      }
      const [native, reference] = [new Uint8Array(input.length), new Uint8Array(input.length)];
      sampleLabel(labels, shape, native, shape, { ...options, displacement: lattice, order: 1 });
      sampleLabelReference(labels, shape, reference, shape, { ...options, displacement: lattice }, 1, 0);
      expect(native.filter((label, i) => label !== reference[i]).length).toBeLessThanOrEqual(4);
      const other = elasticLattice([9, 14, 36], { key, alpha: 1, sigma });
      expect(() => sampleLabel(labels, shape, native, shape, { ...options, displacement: other, order: 0 })).toThrow(
        "sampleLabel: displacement must be a lattice for 9x14x37, got one for 9x14x36",
      );
    }
  });

  it("is 0 for alpha 0 and refuses a sigma of 0", () => {
    const field = new Float32Array(3 * 8).fill(1);
    elasticField(field, [2, 2, 2], { key, alpha: 0, sigma: 9 });
    expect(field.every((x) => x === 0)).toBe(true);
    expect(() => elasticField(field, [2, 2, 2], { key, alpha: 1, sigma: 0 })).toThrow("elasticField: sigma must be > 0, got 0");
  });
});
