import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { axisAligned } from "../../../src/core/geometry.js";
import type { Margin, Sample } from "../../../src/core/sample.js";
import { elementCount, type Shape4, spatial, type Triple } from "../../../src/core/shape.js";
import { Volume } from "../../../src/core/volume.js";
import { elasticLattice } from "../../../src/kernels/elastic-lattice/elastic-lattice.js";
import { mirror } from "../../../src/kernels/mirror/mirror.js";
import { sampleImage } from "../../../src/kernels/sample-image/sample-image.js";
import { sampleLabel } from "../../../src/kernels/sample-label/sample-label.js";
import { statistics } from "../../../src/kernels/statistics/statistics.js";
import { type AugmentOptions, augment, batch, patch, skipBlank } from "../../../src/operators/index.js";
import { source } from "../../../src/streams/index.js";
import { type AugmentParams, augmentStep, spatialMatrix } from "../../../src/workers/steps/augment-step.js";
import type { SampleLayout } from "../../../src/workers/steps/step.js";
import { blobLabels, largestDifference, randomFloats } from "../../kernels/random-arrays.js";
import { collect, contextOf } from "../run-graph.js";
import { augmented, dataOf, look, noisy, OFF, SPATIAL, STILL } from "./augmented.js";

interface Golden {
  readonly shape: Shape4;
  readonly input: number[];
  readonly spacing: Triple;
  readonly margin: Margin;
  readonly angles: Triple;
  readonly scale: Triple;
  readonly shift: Triple;
  readonly mirror: readonly [boolean, boolean, boolean];
  readonly orders: Readonly<Record<"0" | "1" | "3", number[]>>;
}

// Tool, version and call stand in the file.
const golden = JSON.parse(readFileSync(new URL("golden/augment.json", import.meta.url), "utf8")) as Golden;

/** The step on an image and its labels, as a worker runs it. */
function applied(image: Float32Array, labels: Uint8Array, shape: Shape4, spacing: Triple, params: AugmentParams) {
  const grid = { geometry: axisAligned(spacing) };
  const before: SampleLayout = {
    image: { ...grid, shape, dtype: "float32" },
    label: { ...grid, shape: [shape[0], shape[1], shape[2], 1], dtype: "uint8" },
  };
  const { layout: after } = augmentStep.plan(before, params);
  const [output, labelOutput] = [new Float32Array(elementCount(after.image.shape)), new Uint8Array(elementCount(after.label!.shape))];
  const isStopped = () => false;
  augmentStep.apply({ params, before, after, image: { input: image, output }, label: { input: labels, output: labelOutput }, isStopped });
  return { image: output, labels: labelOutput, after };
}

describe("the spatial pass", () => {
  it("equals SciPy: mirror, rotation in mm, a scale per axis, a shift and a margin in one interpolation", () => {
    const { shape, input, orders, spacing, margin, angles, scale, shift, mirror: flips } = golden;
    for (const order of [0, 1, 3] as const) {
      const params: AugmentParams = { margin, mirror: flips, spatial: { angles, scale, shift, order, labelOrder: 0 }, labels: true };
      const labels = Uint8Array.from(input, (value) => (value > 0 ? 1 : 0));
      const out = applied(Float32Array.from(input), labels, shape, spacing, params);
      expect(out.after.image.shape).toEqual([6, 8, 7, 1]);
      // The file's numbers are rounded to 1e-7.
      expect(largestDifference(out.image, orders[order]), `order ${order}`).toBeLessThan(1e-5);
      if (order === 0) expect([...out.labels]).toEqual(orders[0].map((value) => (value > 0 ? 1 : 0)));
    }
  });

  it("with neutral numbers is the identity bit for bit, with a margin the crop", () => {
    const shape: Shape4 = [5, 6, 7, 2];
    const image = randomFloats(elementCount(shape), "neutral");
    const labels = blobLabels(5 * 6 * 7, "neutral", 4);
    for (const order of [0, 1, 3] as const) {
      const out = applied(image, labels, shape, [2, 1, 1], { spatial: { ...STILL, order, labelOrder: 1 }, labels: true });
      expect(out.image).toEqual(image);
      expect(out.labels).toEqual(labels);
      const margin: Margin = [
        [1, 0, 2],
        [0, 3, 1],
      ];
      const moved = applied(image, labels, shape, [2, 1, 1], { margin, spatial: { ...STILL, order }, labels: true });
      const cut = applied(image, labels, shape, [2, 1, 1], { margin, labels: true });
      expect(moved.after.image.shape).toEqual([4, 3, 4, 2]);
      expect(moved.image).toEqual(cut.image);
      expect(moved.labels).toEqual(cut.labels);
      expect(cut.image[0]).toBe(image[((1 * 6 + 0) * 7 + 2) * 2]);
    }
  });

  it("quarter turns and whole shifts are exact permutations for every order", () => {
    const n = 6;
    const shape: Shape4 = [3, n, n, 1];
    const image = randomFloats(elementCount(shape), "quarter");
    const labels = blobLabels(elementCount(shape), "quarter", 5);
    for (const order of [0, 1, 3] as const) {
      const turned = applied(image, labels, shape, [4, 1, 1], {
        spatial: { ...STILL, angles: [Math.PI / 2, 0, 0], order, labelOrder: 1 },
        labels: true,
      });
      const shifted = applied(image, labels, shape, [4, 1, 1], { spatial: { ...STILL, shift: [0, 1, -2], order }, labels: true });
      for (let z = 0; z < 3; z++) {
        for (let y = 0; y < n; y++) {
          for (let x = 0; x < n; x++) {
            const to = (z * n + y) * n + x;
            // The coordinates (y, x) become (x, -y) around the middle.
            const from = (z * n + x) * n + (n - 1 - y);
            expect([turned.image[to], turned.labels[to]]).toEqual([image[from], labels[from]]);
            const beside = y + 1 < n && x - 2 >= 0 ? to + n - 2 : -1;
            expect(shifted.labels[to]).toBe(beside < 0 ? 0 : labels[beside]);
            expect(shifted.image[to]).toBe(beside < 0 ? statistics(image)[0]!.min : image[beside]);
          }
        }
      }
      // Four quarter turns are none.
      let [again, againLabels] = [turned.image, turned.labels];
      for (let k = 0; k < 3; k++) {
        const next = applied(again, againLabels, shape, [4, 1, 1], { spatial: { ...STILL, angles: [Math.PI / 2, 0, 0], order }, labels: true });
        [again, againLabels] = [next.image, next.labels];
      }
      expect(again).toEqual(image);
      expect(againLabels).toEqual(labels);
    }
  });

  it("mirrored twice is the identity, by itself and in the interpolation", () => {
    const shape: Shape4 = [3, 4, 5, 2];
    const image = randomFloats(elementCount(shape), "twice");
    const labels = blobLabels(60, "twice", 4);
    for (const flips of [
      [true, false, false],
      [false, true, true],
      [true, true, true],
    ] as const) {
      for (const rest of [{}, { spatial: STILL }] as const) {
        const once = applied(image, labels, shape, [3, 1, 2], { mirror: flips, ...rest, labels: true });
        const expected = new Float32Array(image.length);
        mirror(image, shape, expected, flips);
        expect(once.image).toEqual(expected);
        const twice = applied(once.image, once.labels, shape, [3, 1, 2], { mirror: flips, ...rest, labels: true });
        expect(twice.image).toEqual(image);
        expect(twice.labels).toEqual(labels);
      }
    }
  });

  it("what turns in from outside is background: the smallest voxel, label 0", async () => {
    const shape: Shape4 = [1, 21, 21, 1];
    const image = Float32Array.from({ length: 441 }, (_, i) => (i === 220 ? 3 : 7));
    const sample: Sample = {
      id: "full",
      epoch: 0,
      image: Volume.of("float32", shape, image),
      label: Volume.of("uint8", shape, new Uint8Array(441).fill(2)),
      history: [],
    };
    for (const order of [1, 3] as const) {
      const [out] = await augmented([sample], {
        ...OFF,
        rotation: { probability: 1, degrees: [45, 0, 0] },
        scaling: { probability: 1, range: [1.5, 1.6] },
        order,
      });
      expect([out!.image[0], out!.image[440]]).toEqual([3, 3]);
      expect([out!.label[0], out!.label[440]]).toEqual([0, 0]);
      expect(out!.label[220]).toBe(2);
    }
  });
});

describe("a patch in front of augment", () => {
  const shape: Shape4 = [24, 30, 26, 1];
  const whole = noisy("case", shape, [2, 1, 1]);
  /** Patches of one case, augmented, with what the graph says of them. */
  function patches(options: AugmentOptions, { seed = 4, count = 8, margin }: { seed?: number; count?: number; margin?: number } = {}) {
    const flow = source("one", 1, () => whole).pipe(
      patch({ size: [8, 10, 8], perCase: count, ...(margin !== undefined && { margin }) }),
      skipBlank(),
      augment(options),
    );
    return collect(flow, contextOf({ seed }), (sample: Sample) => ({ ...look(sample), origin: sample.origin!, margin: sample.margin }));
  }

  it.each(["rotation", "scaling", "translation", "elastic"] as const)(
    "sees beyond its border: %s gives the voxels that sampling the whole case gives",
    async (technique) => {
      for (const order of [0, 1, 3] as const) {
        const out = await patches({ ...OFF, [technique]: SPATIAL[technique], mirror: true, probability: 1, order, labelOrder: 0 });
        expect(out).toHaveLength(8);
        for (const { params, image, label, origin, margin, shape: outShape } of out) {
          expect(margin).toBeUndefined();
          expect(outShape).toEqual([8, 10, 8, 1]);
          const { shift, elastic } = params!.spatial!;
          const along = (axis: 0 | 1 | 2) => origin[axis] + shift[axis] + (outShape[axis] - 1) / 2;
          const coordinates = {
            center: [along(0), along(1), along(2)] as const,
            matrix: spatialMatrix(params!.spatial!, params!.mirror, [2, 1, 1]),
            ...(elastic && { displacement: elasticLattice(spatial(outShape), elastic) }),
          };
          const [expected, expectedLabels] = [new Float32Array(640), new Uint8Array(640)];
          sampleImage(dataOf(whole)[0], shape, expected, outShape, { ...coordinates, order, fill: 0 });
          sampleLabel(dataOf(whole)[1], shape, expectedLabels, outShape, { ...coordinates, order: 0 });
          expect(label).toEqual(expectedLabels);
          // Voxels from outside the case are the patch's smallest, and 0 here.
          const difference = Math.max(...image.map((value, i) => (expected[i] === 0 ? 0 : Math.abs(value - expected[i]!))));
          expect(difference).toBeLessThan(order === 3 ? 2e-4 : 1e-5);
        }
      }
    },
  );

  it("is cut to its own size where nothing moves, and never beyond the case", async () => {
    const cuts = (out: Awaited<ReturnType<typeof patches>>) =>
      out.map(
        ({ history }) => history.find(({ operator }) => operator === "patch")!.params as unknown as { start: Triple; size: Triple; margin?: Margin },
      );
    for (const { size, margin } of cuts(await patches({ ...OFF, gamma: true, mirror: true, probability: 1 }))) {
      expect([size, margin]).toEqual([[8, 10, 8], undefined]);
    }
    const wide = cuts(await patches({ ...OFF, rotation: { degrees: 40 }, probability: 1 }));
    expect(wide.every(({ margin }) => margin !== undefined)).toBe(true);
    for (const { start, size } of wide) {
      start.forEach((first, axis) => {
        expect(first).toBeGreaterThanOrEqual(0);
        expect(first + size[axis]!).toBeLessThanOrEqual(shape[axis]!);
      });
    }
    // Each as wide as its own draw.
    expect(new Set(wide.map(({ size }) => size.join())).size).toBeGreaterThan(3);
  });

  it("keeps its size where margin says 0, and takes any margin that is given", async () => {
    const zero = await patches({ ...OFF, rotation: { degrees: 40 }, probability: 1 }, { margin: 0 });
    expect(zero.every(({ history }) => !("margin" in (history[0]!.params as object)))).toBe(true);
    const three = await patches({ ...OFF, rotation: { degrees: 40 }, probability: 1 }, { margin: 3 });
    expect(three.every(({ params, shape: outShape }) => params!.margin![0][0] === 3 && outShape[0] === 8)).toBe(true);
  });

  it("serves several cycles from one cut", async () => {
    const one = await patches({ ...OFF, rotation: { degrees: 40 }, probability: 1, cycles: 3 }, { count: 2 });
    expect(one).toHaveLength(6);
    const starts = one.map(({ history }) => JSON.stringify(history[0]!.params));
    expect(new Set(starts).size).toBe(2);
    expect(new Set(one.map(({ params }) => JSON.stringify(params!.spatial!.angles))).size).toBe(6);
    for (const { shape: outShape } of one) expect(outShape).toEqual([8, 10, 8, 1]);
  });

  it("with a margin that nothing trims is an error that says so", async () => {
    const flow = source("one", 1, () => noisy("case", [24, 24, 24, 1])).pipe(patch({ size: [8, 8, 8], margin: 2 }), batch({ size: 1 }));
    await expect(collect(flow, contextOf(), () => 0)).rejects.toThrow(
      "batch: a patch with a margin (2x2x2) must go to augment, which trims it, before batch (sample case#0)",
    );
  });

  it("has the wanted size in validation", async () => {
    for (const margin of [undefined, 2]) {
      const flow = source("one", 1, () => noisy("case", [24, 24, 24, 1])).pipe(
        patch({ size: [8, 8, 8], ...(margin && { margin }) }),
        augment({ probability: 1 }),
        batch({ size: 1 }),
      );
      expect(await collect(flow, contextOf({ mode: "validation" }), ({ image }) => image.shape)).toEqual([[1, 8, 8, 8, 1]]);
    }
  });
});
