import { expect, it } from "vitest";
import { axisAligned } from "../../../src/core/geometry.js";
import { Random } from "../../../src/core/random.js";
import type { Margin, Sample } from "../../../src/core/sample.js";
import type { Shape4, Triple } from "../../../src/core/shape.js";
import { augmentPlan } from "../../../src/operators/augment/augment-plan.js";
import { augmentReach } from "../../../src/operators/augment/augment-reach.js";
import type { AugmentOptions, AugmentOptions as Options } from "../../../src/operators/index.js";
import { augment, patch } from "../../../src/operators/index.js";
import { source } from "../../../src/streams/index.js";
import type { SampleLayout } from "../../../src/workers/steps/step.js";
import { collect, contextOf } from "../run-graph.js";
import { dataOf, noisy, OFF } from "./augmented.js";

const layout = (size: Triple, spacing: Triple): SampleLayout => ({
  image: { dtype: "float32", shape: [...size, 1], geometry: axisAligned(spacing) },
});

function randomOptions(random: Random): Options {
  const range = (low: number, high: number): [number, number] => {
    const [a, b] = [random.uniform(low, high), random.uniform(low, high)];
    return [Math.min(a, b), Math.max(a, b)];
  };
  return {
    ...OFF,
    ...(random.chance(0.7) && { rotation: { degrees: [random.uniform(0, 180), random.uniform(0, 90), random.uniform(0, 40)] } }),
    ...(random.chance(0.7) && { scaling: { range: range(0.5, 2), independent: 0.5 } }),
    ...(random.chance(0.5) && { translation: { share: random.uniform(0, 1) } }),
    ...(random.chance(0.5) && { elastic: { alpha: range(0, 500), sigma: range(0.2, 12) } }),
    mirror: true,
    probability: 0.8,
    cycles: random.integer(1, 3),
    inPlane: random.chance(0.3) ? "auto" : random.chance(0.3),
    order: ([0, 1, 3] as const)[random.integer(0, 2)]!,
  };
}

it("no draw asks for more than the bound that memory is planned with", () => {
  const random = new Random("reach");
  let largest = 0;
  for (let trial = 0; trial < 300; trial++) {
    const reach = augmentReach(augmentPlan(randomOptions(random)));
    const extent = () => (random.chance(0.2) ? 1 : random.integer(2, 60));
    const own = layout([extent(), extent(), extent()], [random.uniform(0.5, 5), random.uniform(0.5, 2), random.uniform(0.5, 2)]);
    const most = reach.most(own);
    for (let k = 0; k < 5; k++) {
      const margin = reach.margin({ id: `${trial}`, epoch: 0, patch: k }, own, 2, contextOf());
      for (const side of [0, 1] as const) {
        margin[side].forEach((voxels, axis) => {
          expect(Number.isSafeInteger(voxels) && voxels >= 0).toBe(true);
          expect(voxels, `trial ${trial}, axis ${axis}`).toBeLessThanOrEqual(most[side][axis]!);
          largest = Math.max(largest, voxels);
        });
      }
    }
  }
  expect(largest).toBeGreaterThan(50);
});

/** A case that is not in memory, and what was read of it. */
function stored(shape: Shape4) {
  const whole = noisy("stored", shape);
  const reads: { readonly start: Triple; readonly size: Triple }[] = [];
  const sourceOf = (data: Float32Array | Uint8Array, dtype: "float32" | "uint8") => ({
    dtype,
    shape,
    geometry: axisAligned(),
    byteLength: data.byteLength,
    readRegion(start: Triple, size: Triple, target: Float32Array | Uint8Array) {
      reads.push({ start, size });
      let to = 0;
      for (let z = start[0]; z < start[0] + size[0]; z++) {
        for (let y = start[1]; y < start[1] + size[1]; y++) {
          const from = (z * shape[1] + y) * shape[2] + start[2];
          target.set(data.subarray(from, from + size[2]), to);
          to += size[2];
        }
      }
    },
    retain() {
      return this;
    },
    release() {},
  });
  const [image, label] = dataOf(whole);
  const sample = { ...whole, image: sourceOf(image, "float32"), label: sourceOf(label, "uint8") } as unknown as Sample;
  return { sample, reads };
}

it("of a stored case only the box that the draw moves into view is read, once for image and labels", async () => {
  const { sample, reads } = stored([40, 44, 48, 1]);
  const options: AugmentOptions = { ...OFF, rotation: { probability: 0.5, degrees: 20 } };
  const flow = source("one", 1, () => sample).pipe(patch({ size: [8, 10, 12], perCase: 20 }), augment(options));
  const histories = await collect(flow, contextOf(), ({ history }: Sample) => history);
  expect(reads).toHaveLength(40);
  const cuts = histories.map(([cut]) => cut!.params as unknown as { start: Triple; size: Triple; margin?: Margin });
  cuts.forEach(({ start, size }, k) => {
    expect(reads[2 * k]).toEqual({ start, size });
    expect(reads[2 * k + 1]).toEqual({ start, size });
  });
  const turned = histories.filter((history) => history.length === 2).length;
  expect(turned).toBeGreaterThan(4);
  expect(turned).toBeLessThan(16);
  expect(cuts.filter(({ size }) => size.join() === "8,10,12")).toHaveLength(20 - turned);
});
