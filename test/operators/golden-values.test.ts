import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/core/batch.js";
import { axisAligned } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";
import type { Shape4, Triple } from "../../src/core/shape.js";
import { Volume } from "../../src/core/volume.js";
import { batch, clip, mapLabels, normalize, pad, patch, patchStarts, resample } from "../../src/operators/index.js";
import { source } from "../../src/streams/index.js";
import { collect, contextOf } from "./run-graph.js";

/** Numbers of MIScnn 1.4 and batchgenerators 0.21 (reference page, section 12: NumPy 1.19 routines and formulas). */

function sampleOf(shape: Shape4, image: readonly number[], label?: readonly number[], spacing: Triple = [1, 1, 1]): Sample {
  const geometry = axisAligned(spacing);
  return {
    id: "golden",
    epoch: 0,
    image: Volume.of("float32", shape, Float32Array.from(image), geometry),
    ...(label && { label: Volume.of("uint8", [...shape.slice(0, 3), 1] as unknown as Shape4, Uint8Array.from(label), geometry) }),
    history: [],
  };
}

async function apply(
  sample: Sample,
  ...operators: Parameters<typeof chain>[1][]
): Promise<{ shape: Shape4; image: number[]; label: number[] | undefined; spacing: Triple; origin: Triple | undefined }[]> {
  const flow = chain(
    source("golden", 1, () => sample),
    ...operators,
  );
  return collect(flow, contextOf(), ({ image, label, origin }) => ({
    shape: image.shape,
    image: [...(image as Volume<"float32">).data],
    label: label && [...(label as Volume<"uint8">).data],
    spacing: image.geometry.spacing,
    origin,
  }));
}

function chain(flow: ReturnType<typeof source<Sample>>, ...operators: ReturnType<typeof clip>[]) {
  return operators.reduce((before, operator) => before.pipe(operator), flow);
}

const near = (values: readonly number[], digits = 6) => values.map((value) => expect.closeTo(value, digits));

describe("patch starts", () => {
  it.each([
    [16, 5, 2, [0, 3, 6, 9, 11]],
    [16, 5, 0, [0, 5, 10, 11]],
    [10, 8, 4, [0, 2]],
    [3, 8, 4, [0]],
    [100, 80, 40, [0, 20]],
    [216, 80, 40, [0, 40, 80, 120, 136]],
    [9, 4, 2, [0, 2, 4, 5]],
  ])("an axis of %i, window %i, overlap %i starts at %j", (extent, window, overlap, starts) => {
    expect(patchStarts(extent, window, overlap)).toEqual(starts);
  });

  it("216x512x512 in 80x160x160 with 40x80x80 overlap makes 180 patches", () => {
    expect(patchStarts(216, 80, 40).length * patchStarts(512, 160, 80).length ** 2).toBe(180);
  });
});

describe("normalize", () => {
  it("z-score of 0, 50, 100, 150", async () => {
    const [out] = await apply(sampleOf([1, 1, 4, 1], [0, 50, 100, 150]), normalize());
    expect(out!.image).toEqual(near([-1.34164074, -0.44721357, 0.44721361, 1.34164078]));
  });

  it("grayscale of 0, 50, 100, 150 is exact", async () => {
    const [out] = await apply(sampleOf([1, 1, 4, 1], [0, 50, 100, 150]), normalize({ mode: "grayscale" }));
    expect(out!.image).toEqual([0, 85, 170, 255]);
  });

  it("min-max goes to any range", async () => {
    const [zero, minus] = [
      await apply(sampleOf([1, 1, 3, 1], [2, 4, 6]), normalize({ mode: "min-max" })),
      await apply(sampleOf([1, 1, 3, 1], [2, 4, 6]), normalize({ mode: "min-max", range: [-1, 1] })),
    ];
    expect(zero[0]!.image).toEqual(near([0, 0.5, 1]));
    expect(minus[0]!.image).toEqual(near([-1, 0, 1], 5));
  });

  it("channels have statistics of their own, unless told otherwise", async () => {
    const [own] = await apply(sampleOf([1, 1, 2, 2], [0, 100, 2, 300]), normalize({ mode: "min-max" }));
    expect(own!.image).toEqual(near([0, 0, 1, 1], 5));
    const [joint] = await apply(sampleOf([1, 1, 2, 2], [0, 100, 2, 300]), normalize({ mode: "min-max", perChannel: false }));
    expect(joint!.image).toEqual(near([0, 1 / 3, 2 / 300, 1], 5));
  });
});

describe("pad", () => {
  it("10x20 to at least 16x16 in multiples of 8 becomes 16x24, the image at [3:13], [2:22]", async () => {
    const [out] = await apply(
      sampleOf([1, 10, 20, 1], new Array(200).fill(5), new Array(200).fill(1)),
      pad({ minSize: [1, 16, 16], divisor: [1, 8, 8], value: 0 }),
    );
    expect(out!.shape).toEqual([1, 16, 24, 1]);
    const at = (y: number, x: number) => out!.image[y * 24 + x];
    expect([at(3, 2), at(12, 21), at(2, 2), at(13, 2), at(3, 1), at(3, 22)]).toEqual([5, 5, 0, 0, 0, 0]);
    expect(out!.label!.reduce((a, b) => a + b, 0)).toBe(200);
  });

  it("the minimum mode takes the smallest of each line, axis after axis", async () => {
    const [out] = await apply(sampleOf([1, 2, 3, 1], [1, 2, 3, 4, 5, 6]), pad({ minSize: [1, 4, 4], mode: "minimum" }));
    expect(out!.image).toEqual([1, 2, 3, 1, 1, 2, 3, 1, 4, 5, 6, 4, 1, 2, 3, 1]);
  });

  it("new voxels are background unless told otherwise: the smallest of each channel, label 0", async () => {
    const [out] = await apply(sampleOf([1, 1, 2, 2], [7, -3, 8, -4], [1, 1]), pad({ minSize: [1, 1, 4] }));
    expect(out!.image).toEqual([7, -4, 7, -3, 8, -4, 7, -4]);
    expect(out!.label).toEqual([0, 1, 1, 0]);
  });
});

describe("resample", () => {
  it("16 voxels of (1.8, 3, 3) mm become 28x48x48 of 1 mm", async () => {
    const [out] = await apply(
      sampleOf([16, 16, 16, 1], new Array(4096).fill(3), new Array(4096).fill(1), [1.8, 3, 3]),
      resample({ spacing: [1, 1, 1] }),
    );
    expect(out!.shape).toEqual([28, 48, 48, 1]);
    expect(out!.spacing).toEqual([expect.closeTo((16 * 1.8) / 28, 9), 1, 1]);
    // MIScnn's up-sampling makes a border of zeros here.
    expect(new Set(out!.image.map((value) => Math.round(value * 1e4) / 1e4))).toEqual(new Set([3]));
    expect(new Set(out!.label)).toEqual(new Set([1]));
  });

  it("labels never become a class that was not there", async () => {
    const label = [0, 0, 1, 1, 0, 3, 3, 1, 0, 3, 3, 0, 0, 0, 0, 0];
    for (const labelOrder of [0, 1] as const) {
      const [out] = await apply(sampleOf([1, 4, 4, 1], label, label), resample({ spacing: [1, 0.4, 0.7], labelOrder }));
      expect([...new Set(out!.label)].sort()).toEqual([0, 1, 3]);
    }
  });

  it("labels of 4x4 to 3x3 by their masks, as batchgenerators does", async () => {
    const label = [0, 0, 1, 1, 0, 2, 2, 1, 0, 2, 2, 0, 0, 0, 0, 0];
    const [out] = await apply(sampleOf([1, 4, 4, 1], label, label), resample({ spacing: [1, 4 / 3, 4 / 3], labelOrder: 1 }));
    expect(out!.label).toEqual([0, 0, 1, 0, 2, 0, 0, 0, 0]);
  });

  it("an extent that only misses a whole number by rounding keeps it", async () => {
    const [out] = await apply(sampleOf([30, 1, 1, 1], new Array(30).fill(0), undefined, [0.1, 1, 1]), resample({ spacing: [0.1 / 3, 1, 1] }));
    expect(out!.shape[0]).toBe(90);
  });
});

describe("patch", () => {
  it("offsets of a crop of 4 from 10 are 0 to 6, all equally likely, the last one included", async () => {
    const sample = sampleOf(
      [1, 1, 10, 1],
      Array.from({ length: 10 }, (_, i) => i),
    );
    const out = await apply(sample, patch({ size: [1, 1, 4], perCase: 1400 }));
    const counts = new Array(7).fill(0);
    for (const { origin, image } of out) {
      counts[origin![2]]++;
      expect(image).toEqual([0, 1, 2, 3].map((i) => i + origin![2]));
    }
    for (const count of counts) expect(count).toBeGreaterThan(140);
  });

  it("a case of 3 lies at 3..5 of a random patch of 8, in background", async () => {
    const [out] = await apply(sampleOf([1, 1, 3, 1], [4, 2, 6], [1, 2, 1]), patch({ size: [1, 1, 8] }));
    expect(out!.image).toEqual([2, 2, 2, 4, 2, 6, 2, 2]);
    expect(out!.label).toEqual([0, 0, 0, 1, 2, 1, 0, 0]);
    expect(out!.origin).toEqual([0, 0, -3]);
  });

  it("a grid goes over width first, then height, then depth, and shifts its last patches back", async () => {
    const out = await apply(
      sampleOf(
        [3, 5, 4, 1],
        Array.from({ length: 60 }, (_, i) => i),
      ),
      patch({ size: [2, 3, 4], mode: "grid", overlap: [0, 1, 0] }),
    );
    expect(out.map(({ origin }) => origin)).toEqual([
      [0, 0, 0],
      [0, 2, 0],
      [1, 0, 0],
      [1, 2, 0],
    ]);
    expect(out[3]!.image[0]).toBe(1 * 20 + 2 * 4);
  });

  it("every patch around foreground holds some, small labels as often as large ones", async () => {
    const label = new Array<number>(1000).fill(0);
    for (let i = 100; i < 600; i++) label[i] = 1;
    label[900] = 2;
    const out = await apply(sampleOf([1, 1, 1000, 1], label, label), patch({ size: [1, 1, 20], perCase: 200, foreground: 1 }));
    expect(out.every(({ label: own }) => own!.some((value) => value > 0))).toBe(true);
    const small = out.filter(({ label: own }) => own!.includes(2)).length;
    expect(small).toBeGreaterThan(70);
    expect(small).toBeLessThan(130);
  });

  it("further attempts find foreground that one draw would miss", async () => {
    const label = new Array<number>(100).fill(0);
    for (let i = 0; i < 8; i++) label[40 + i] = 1;
    const blank = async (attempts: number) =>
      (await apply(sampleOf([1, 1, 100, 1], label, label), patch({ size: [1, 1, 4], perCase: 100, attempts }))).filter(({ label: own }) =>
        own!.every((value) => value === 0),
      ).length;
    expect(await blank(1)).toBeGreaterThan(70);
    expect(await blank(40)).toBeLessThan(12);
  });
});

describe("batch", () => {
  const batches = async (samples: number, patches: number, size: number, mode: "training" | "prediction"): Promise<number[][]> => {
    const image = Array.from({ length: patches }, (_, i) => i);
    const flow = source("golden", samples, (n) => ({ ...sampleOf([1, 1, patches, 1], image), id: String(n) })).pipe(
      patch({ size: [1, 1, 1], mode: "grid" }),
      batch({ size }),
    );
    return collect(flow, contextOf({ mode }), ({ parts }: Batch) => parts.map(({ id, patch: number }) => Number(id) * 10 + (number ?? 0)));
  };

  it("8 samples of one patch in threes; the last batch is smaller", async () => {
    expect(await batches(8, 1, 3, "training")).toEqual([
      [0, 10, 20],
      [30, 40, 50],
      [60, 70],
    ]);
  });

  it("a batch larger than the epoch holds all of it", async () => {
    expect(await batches(8, 1, 100, "training")).toEqual([[0, 10, 20, 30, 40, 50, 60, 70]]);
  });

  it("2 samples of 4 patches in threes: patches go on over samples, and none comes twice as in MIScnn", async () => {
    expect(await batches(2, 4, 3, "training")).toEqual([
      [0, 1, 2],
      [3, 10, 11],
      [12, 13],
    ]);
  });
});

describe("mapLabels and clip", () => {
  it("labels are renamed, others stay or become one value", async () => {
    const sample = () => sampleOf([1, 1, 4, 1], [0, 0, 0, 0], [0, 1, 2, 3]);
    expect((await apply(sample(), mapLabels({ map: { 2: 1 } })))[0]!.label).toEqual([0, 1, 1, 3]);
    expect((await apply(sample(), mapLabels({ map: { 2: 1 }, others: 0 })))[0]!.label).toEqual([0, 0, 1, 0]);
  });

  it("clip clamps", async () => {
    expect((await apply(sampleOf([1, 1, 3, 1], [-100, 5, 400]), clip({ min: -79, max: 304 })))[0]!.image).toEqual([-79, 5, 304]);
  });

  it("steps in a chain give what they give one by one", async () => {
    const random = new Random("chain");
    const image = Array.from({ length: 6 * 8 * 10 }, () => random.normal() * 100);
    const operators = [clip({ min: -80, max: 90 }), resample({ spacing: [1.5, 0.8, 1.2] }), normalize(), pad({ divisor: 4 })] as const;
    const [fused] = await apply(sampleOf([6, 8, 10, 1], image), ...operators);
    let sample = sampleOf([6, 8, 10, 1], image);
    for (const operator of operators) {
      const [step] = await apply(sample, operator);
      sample = {
        ...sampleOf(step!.shape, step!.image),
        image: Volume.of("float32", step!.shape, Float32Array.from(step!.image), axisAligned(step!.spacing)),
      };
    }
    expect(fused!.image).toEqual([...(sample.image as Volume<"float32">).data]);
  });
});
