import { describe, expect, it } from "vitest";
import { axisAligned } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import type { RunContext } from "../../src/core/run-context.js";
import type { Sample } from "../../src/core/sample.js";
import type { Shape4, Triple } from "../../src/core/shape.js";
import { Volume } from "../../src/core/volume.js";
import { rotationMatrix } from "../../src/kernels/rotation-matrix/rotation-matrix.js";
import { sampleImage } from "../../src/kernels/sample-image/sample-image.js";
import { type AugmentOptions, augment, batch, patch } from "../../src/operators/index.js";
import { source } from "../../src/streams/index.js";
import type { AugmentParams } from "../../src/workers/steps/augment-step.js";
import { collect, contextOf } from "./run-graph.js";

const OFF: AugmentOptions = {
  mirror: false,
  rotation: false,
  scaling: false,
  elastic: false,
  contrast: false,
  brightness: false,
  gamma: false,
  noise: false,
};

function noisy(id: string, shape: Shape4 = [8, 12, 10, 1], spacing: Triple = [1, 1, 1]): Sample {
  const random = new Random("augment", id);
  const image = new Float32Array(shape[0] * shape[1] * shape[2] * shape[3]);
  image.forEach((_, i) => {
    image[i] = random.uniform(1, 2);
  });
  const label = new Uint8Array(shape[0] * shape[1] * shape[2]);
  label.forEach((_, i) => {
    label[i] = random.integer(0, 2);
  });
  const geometry = axisAligned(spacing);
  return {
    id,
    epoch: 0,
    image: Volume.of("float32", shape, image, geometry),
    label: Volume.of("uint8", [shape[0], shape[1], shape[2], 1], label, geometry),
    history: [],
  };
}

interface Seen {
  readonly image: Float32Array;
  readonly label: Uint8Array;
  readonly params: AugmentParams | undefined;
  readonly shape: Shape4;
}

async function augmented(samples: readonly Sample[], options: AugmentOptions, context: Partial<RunContext> = {}): Promise<Seen[]> {
  const flow = source("samples", samples.length, (index) => samples[index]!).pipe(augment(options));
  return collect(flow, contextOf(context), look);
}

function look({ image, label, history }: Sample): Seen {
  const last = history.at(-1);
  return {
    image: (image as Volume<"float32">).data.slice(),
    label: (label as Volume<"uint8">).data.slice(),
    params: last?.operator === "augment" ? (last.params as unknown as AugmentParams) : undefined,
    shape: image.shape,
  };
}

const dataOf = (sample: Sample) => [(sample.image as Volume<"float32">).data, (sample.label as Volume<"uint8">).data] as const;
const hundred = Array.from({ length: 100 }, (_, i) => noisy(`case_${i}`, [2, 4, 4, 1]));

describe("augment", () => {
  it("with every technique off is the identity", async () => {
    const sample = noisy("a");
    const [out] = await augmented([sample], OFF);
    expect([out!.image, out!.label]).toEqual(dataOf(sample));
    expect(out!.params).toBeUndefined();
  });

  it.each(["validation", "prediction"] as const)("is the identity in %s", async (mode) => {
    const sample = noisy("a");
    const [out] = await augmented([sample], { probability: 1, mirror: { probability: 1 } }, { mode });
    expect([out!.image, out!.label]).toEqual(dataOf(sample));
  });

  it("each intensity technique alone changes the image and not the labels", async () => {
    for (const technique of ["contrast", "brightness", "gamma", "noise"] as const) {
      const sample = noisy("a");
      const [out] = await augmented([sample], { ...OFF, [technique]: true, probability: 1 });
      expect(out!.image, technique).not.toEqual(dataOf(sample)[0]);
      expect(out!.label).toEqual(dataOf(sample)[1]);
      expect(Object.keys(out!.params!).sort()).toEqual([technique, "labels"].sort());
    }
  });

  it("each spatial technique alone changes both, and makes no label that was not there", async () => {
    for (const [technique, own] of [
      ["mirror", { probability: 1 }],
      ["rotation", true],
      ["scaling", true],
      ["elastic", { alpha: [40, 50], sigma: [2, 2.5] }],
    ] as const) {
      const sample = noisy("a");
      const [out] = await augmented([sample], { ...OFF, [technique]: own, probability: 1 });
      expect(out!.image, technique).not.toEqual(dataOf(sample)[0]);
      expect(out!.label, technique).not.toEqual(dataOf(sample)[1]);
      expect(Math.max(...out!.label)).toBeLessThanOrEqual(2);
    }
  });

  it("labels: false keeps the label map", async () => {
    const sample = noisy("a");
    const [out] = await augmented([sample], { ...OFF, mirror: { probability: 1 }, rotation: true, probability: 1, labels: false });
    expect(out!.label).toEqual(dataOf(sample)[1]);
    expect(out!.image).not.toEqual(dataOf(sample)[0]);
  });

  it("mirror reverses exactly the chosen axes, image and labels alike", async () => {
    const sample = noisy("a", [2, 3, 4, 1]);
    const [out] = await augmented([sample], { ...OFF, mirror: { axes: ["depth", "width"], probability: 1 } });
    const [image, label] = dataOf(sample);
    for (let z = 0; z < 2; z++) {
      for (let y = 0; y < 3; y++) {
        for (let x = 0; x < 4; x++) {
          const [to, from] = [(z * 3 + y) * 4 + x, ((1 - z) * 3 + y) * 4 + 3 - x];
          expect([out!.image[to], out!.label[to]]).toEqual([image[from], label[from]]);
        }
      }
    }
  });

  it("a technique with a probability of 0.3 strikes about 30 of 100 samples", async () => {
    const out = await augmented(hundred, { ...OFF, brightness: { probability: 0.3 } });
    const struck = out.filter(({ params }) => params?.brightness).length;
    expect(struck).toBeGreaterThan(15);
    expect(struck).toBeLessThan(45);
  });

  it("by default the techniques of MIScnn strike with 0.15 each, mirror and elastic deformation do not", async () => {
    const out = await augmented(hundred, {});
    const times = (pick: (params: AugmentParams) => unknown) => out.filter(({ params }) => params && pick(params) !== undefined).length;
    for (const count of [times((p) => p.contrast), times((p) => p.brightness), times((p) => p.gamma), times((p) => p.noise)]) {
      expect(count).toBeGreaterThan(4);
      expect(count).toBeLessThan(30);
    }
    // 1 - 0.85²: rotation or scaling.
    expect(times((p) => p.spatial)).toBeGreaterThan(13);
    expect(times((p) => p.mirror) + times((p) => p.spatial?.elastic)).toBe(0);
  });

  it("factors lie in their range, below and above 1 equally often", async () => {
    const out = await augmented(hundred, { ...OFF, contrast: { probability: 1 } });
    const factors = out.map(({ params }) => params!.contrast![0]!);
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.3);
    expect(Math.max(...factors)).toBeLessThan(3);
    const below = factors.filter((factor) => factor < 1).length;
    expect(below).toBeGreaterThan(35);
    expect(below).toBeLessThan(65);
  });

  it("channels draw on their own, or together when asked to", async () => {
    const sample = () => noisy("a", [2, 4, 4, 3]);
    const [own] = await augmented([sample()], { ...OFF, brightness: { probability: 1 } });
    expect(new Set(own!.params!.brightness).size).toBe(3);
    const [joint] = await augmented([sample()], { ...OFF, brightness: { probability: 1 }, perChannel: false });
    expect(new Set(joint!.params!.brightness).size).toBe(1);
  });

  it("what turns in from outside is background: the smallest voxel, label 0", async () => {
    const shape: Shape4 = [1, 21, 21, 1];
    const sample: Sample = {
      id: "full",
      epoch: 0,
      image: Volume.of(
        "float32",
        shape,
        Float32Array.from({ length: 441 }, (_, i) => (i === 220 ? 3 : 7)),
      ),
      label: Volume.of("uint8", shape, new Uint8Array(441).fill(2)),
      history: [],
    };
    const [out] = await augmented([sample], {
      ...OFF,
      rotation: { probability: 1, degrees: [45, 0, 0] },
      scaling: { probability: 1, range: [1.5, 1.6] },
      order: 1,
    });
    expect([out!.image[0], out!.image[440]]).toEqual([3, 3]);
    expect([out!.label[0], out!.label[440]]).toEqual([0, 0]);
    expect(out!.label[220]).toBe(2);
  });

  it("planar images turn in their plane only", async () => {
    const out = await augmented(
      Array.from({ length: 8 }, (_, i) => noisy(`p${i}`, [1, 8, 8, 1])),
      { ...OFF, rotation: { probability: 1 }, elastic: { probability: 1, alpha: [20, 30], sigma: [1.5, 2] }, order: 1 },
    );
    for (const { params, image } of out) {
      expect(params!.spatial!.angles.slice(1)).toEqual([0, 0]);
      expect(Math.min(...image)).toBeGreaterThanOrEqual(1);
    }
  });

  it("a patch with a margin turns in what the case has there, and not background", async () => {
    const shape: Shape4 = [24, 24, 24, 1];
    const whole = noisy("case", shape, [2, 1, 1]);
    const flow = source("one", 1, () => whole).pipe(
      patch({ size: [8, 8, 8], margin: 6, foreground: 0 }),
      augment({ ...OFF, rotation: { probability: 1, degrees: 20 }, order: 1 }),
    );
    const [out] = await collect(flow, contextOf({ seed: 4 }), (sample: Sample) => ({
      ...look(sample),
      origin: sample.origin!,
      margin: sample.margin,
    }));
    expect(out!.shape).toEqual([8, 8, 8, 1]);
    expect(out!.margin).toBeUndefined();
    // The same turn, sampled from the whole case: in mm, so depth counts double.
    const spacing = [2, 1, 1];
    const turn = rotationMatrix(out!.params!.spatial!.angles, 1).map((value, i) => (value * spacing[i % 3]!) / spacing[Math.floor(i / 3)]!);
    const expected = new Float32Array(512);
    const center = out!.origin.map((first) => first + 3.5) as unknown as Triple;
    sampleImage(dataOf(whole)[0], shape, expected, [8, 8, 8, 1], { center, matrix: turn as never, order: 1 });
    out!.image.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 5);
    });
  });

  it("a margin that nothing trims is an error that says so", async () => {
    const flow = source("one", 1, () => noisy("case", [24, 24, 24, 1])).pipe(patch({ size: [8, 8, 8], margin: 2 }), batch({ size: 1 }));
    await expect(collect(flow, contextOf(), () => 0)).rejects.toThrow(
      "batch: a patch with a margin (2x2x2) must go to augment, which trims it, before batch (sample case#0)",
    );
  });

  it("without margin, validation gets patches of the wanted size", async () => {
    const flow = source("one", 1, () => noisy("case", [24, 24, 24, 1])).pipe(patch({ size: [8, 8, 8], margin: 2 }), augment(), batch({ size: 1 }));
    expect(await collect(flow, contextOf({ mode: "validation" }), ({ image }) => image.shape)).toEqual([[1, 8, 8, 8, 1]]);
  });

  it("epochs, patches and samples draw differently, the same key draws the same", async () => {
    const draw = async (sample: Sample) => (await augmented([sample], { ...OFF, brightness: { probability: 1 } }))[0]!.params!.brightness![0];
    const base = noisy("a");
    const keys = [base, { ...base, epoch: 1 }, { ...base, patch: 0 }, { ...base, patch: 1 }, { ...base, id: "b" }];
    const drawn = await Promise.all(keys.map(draw));
    expect(new Set(drawn).size).toBe(keys.length);
    expect(await draw(base)).toBe(drawn[0]);
  });
});
