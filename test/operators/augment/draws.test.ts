import { describe, expect, it } from "vitest";
import type { Sample } from "../../../src/core/sample.js";
import type { AugmentParams } from "../../../src/workers/steps/augment-step.js";
import { augmented, changeOf, dataOf, INTENSITY, noisy, OFF, SPATIAL } from "./augmented.js";

const hundred = Array.from({ length: 100 }, (_, i) => noisy(`case_${i}`, [2, 4, 4, 1]));
const times = (out: readonly { readonly params: AugmentParams | undefined }[], pick: (params: AugmentParams) => unknown) =>
  out.filter(({ params }) => params && pick(params) !== undefined).length;

describe("augment", () => {
  it("with every technique off is the identity", async () => {
    const sample = noisy("a");
    const [out] = await augmented([sample], OFF);
    expect([out!.image, out!.label]).toEqual(dataOf(sample));
    expect(out!.params).toBeUndefined();
  });

  it.each(["validation", "prediction"] as const)("is the identity in %s, once whatever the cycles", async (mode) => {
    const sample = noisy("a");
    const out = await augmented([sample], { probability: 1, mirror: { probability: 1 }, cycles: 3 }, { mode });
    expect(out).toHaveLength(1);
    expect([out[0]!.image, out[0]!.label]).toEqual(dataOf(sample));
  });

  it.each(INTENSITY)("%s alone changes the image and not the labels", async (technique) => {
    const sample = noisy("a");
    const [out] = await augmented([sample], { ...OFF, [technique]: true, probability: 1 });
    expect(out!.image).not.toEqual(dataOf(sample)[0]);
    expect(out!.label).toEqual(dataOf(sample)[1]);
    expect(out!.params!.intensity!.map((change) => change.technique)).toEqual([technique]);
    expect(out!.params!.spatial).toBeUndefined();
  });

  it.each(Object.entries(SPATIAL))("%s alone changes both, and makes no label that was not there", async (technique, own) => {
    for (const labelOrder of [0, 1] as const) {
      const sample = noisy("a");
      const [out] = await augmented([sample], { ...OFF, [technique]: own, probability: 1, labelOrder });
      expect(out!.image).not.toEqual(dataOf(sample)[0]);
      expect(out!.label).not.toEqual(dataOf(sample)[1]);
      expect(out!.label.every((label) => label <= 2)).toBe(true);
      const [fixed] = await augmented([sample], { ...OFF, [technique]: own, probability: 1, labelOrder, labels: false });
      expect(fixed!.label).toEqual(dataOf(sample)[1]);
      expect(fixed!.image).toEqual(out!.image);
    }
  });

  it("a technique with a probability of 0.3 strikes about 30 of 100 samples", async () => {
    const struck = times(await augmented(hundred, { ...OFF, brightness: { probability: 0.3 } }), (params) => changeOf(params, "brightness"));
    expect(struck).toBeGreaterThan(15);
    expect(struck).toBeLessThan(45);
  });

  it("by default the techniques of MIScnn strike with 0.15 each, mirror and elastic deformation do not", async () => {
    const out = await augmented(hundred, {});
    for (const technique of ["contrast", "brightness", "gamma", "noise"] as const) {
      const count = times(out, (params) => changeOf(params, technique));
      expect(count, technique).toBeGreaterThan(4);
      expect(count, technique).toBeLessThan(30);
    }
    // 1 - 0.85²: rotation or scaling.
    expect(times(out, (p) => p.spatial)).toBeGreaterThan(13);
    expect(times(out, (p) => p.mirror) + times(out, (p) => p.spatial?.elastic)).toBe(0);
    expect(out.every(({ params }) => params?.intensity?.every(({ technique }) => !["blur", "lowResolution"].includes(technique)) ?? true)).toBe(true);
  });

  it("nnU-Net's probabilities are its own, and its techniques go in its order", async () => {
    const out = await augmented(hundred, { preset: "nnunet" });
    const expected = { noise: 10, blur: 20, brightness: 15, contrast: 15, lowResolution: 25, invertedGamma: 10, gamma: 30 } as const;
    const order = Object.keys(expected);
    for (const [technique, share] of Object.entries(expected)) {
      const count = times(out, (params) => changeOf(params, technique as keyof typeof expected));
      // Within 3.3 deviations of a binomial count.
      expect(Math.abs(count - share), technique).toBeLessThan(3.3 * Math.sqrt((share * (100 - share)) / 100));
    }
    // 1 - 0.8²: rotation or scaling.
    expect(Math.abs(times(out, (p) => p.spatial) - 36)).toBeLessThan(16);
    // 1 - 0.5²: planes of two by four by four are mirrored along every axis.
    expect(times(out, (p) => p.mirror)).toBeGreaterThan(75);
    for (const { params } of out) {
      const places = (params?.intensity ?? []).map(({ technique }) => order.indexOf(technique));
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
  });

  it("factors lie in their range: balanced below and above 1 equally often, else evenly", async () => {
    const factorsOf = async (balanced: boolean) => {
      const out = await augmented(hundred, { ...OFF, contrast: { probability: 1, balanced } });
      return out.map(({ params }) => changeOf(params, "contrast")!.factor[0]!);
    };
    for (const [balanced, least, most] of [
      [true, 35, 65],
      // 0.7 of 2.7.
      [false, 12, 40],
    ] as const) {
      const factors = await factorsOf(balanced);
      expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.3);
      expect(Math.max(...factors)).toBeLessThan(3);
      const below = factors.filter((factor) => factor < 1).length;
      expect(below).toBeGreaterThan(least);
      expect(below).toBeLessThan(most);
    }
  });

  it("channels draw on their own, or together when asked to, or now and then", async () => {
    const sample = () => noisy("a", [2, 4, 4, 3]);
    const factorsOf = async (brightness: object, perChannel = true) => {
      const [out] = await augmented([sample()], { ...OFF, brightness: { probability: 1, ...brightness }, perChannel });
      return changeOf(out!.params, "brightness")!.factor;
    };
    expect(new Set(await factorsOf({})).size).toBe(3);
    expect(new Set(await factorsOf({}, false)).size).toBe(1);
    expect(new Set(await factorsOf({ perChannel: true }, false)).size).toBe(3);
    expect(await factorsOf({ channelProbability: 0 })).toEqual([1, 1, 1]);
    const samples = Array.from({ length: 40 }, (_, i) => noisy(`c${i}`, [2, 4, 4, 3]));
    const out = await augmented(samples, { ...OFF, blur: { probability: 1, channelProbability: 0.5 } });
    const struck = out.flatMap(({ params }) => changeOf(params, "blur")!.sigma.filter((sigma) => sigma.some((value) => value > 0))).length;
    expect(struck).toBeGreaterThan(40);
    expect(struck).toBeLessThan(80);
  });

  it("channels that do not take part keep their voxels bit for bit", async () => {
    for (const technique of INTENSITY) {
      const samples = Array.from({ length: 12 }, (_, i) => noisy(`c${i}`, [3, 6, 5, 2]));
      const out = await augmented(samples, { ...OFF, [technique]: { probability: 1, perChannel: true, channelProbability: 0.5 } });
      let kept = 0;
      out.forEach(({ image }, i) => {
        for (const channel of [0, 1]) {
          const of = (voxels: Float32Array) => voxels.filter((_, v) => v % 2 === channel);
          const isKept = of(image).every((value, v) => value === of(dataOf(samples[i]!)[0])[v]);
          kept += isKept ? 1 : 0;
        }
      });
      expect(kept, technique).toBeGreaterThan(3);
      expect(kept, technique).toBeLessThan(21);
    }
  });

  it("scales all axes alike, or each on its own", async () => {
    const scaleOf = async (independent: number) => {
      const [out] = await augmented([noisy("a")], { ...OFF, scaling: { probability: 1, independent } });
      return out!.params!.spatial!.scale;
    };
    expect(new Set(await scaleOf(0)).size).toBe(1);
    expect(new Set(await scaleOf(1)).size).toBe(3);
  });

  it("planar images turn, move, scale and coarsen in their plane only", async () => {
    const planes = Array.from({ length: 8 }, (_, i) => noisy(`p${i}`, [1, 8, 8, 1]));
    const everything = { ...SPATIAL, ...Object.fromEntries(INTENSITY.map((technique) => [technique, true])) };
    for (const { params, shape } of await augmented(planes, { ...everything, probability: 1, mirror: { probability: 1 } })) {
      expect(shape).toEqual([1, 8, 8, 1]);
      expect(params!.mirror).toEqual([false, true, true]);
      const { angles, scale, shift, elastic } = params!.spatial!;
      expect([angles[1], angles[2], scale[0], shift[0], elastic!.planar]).toEqual([0, 0, 1, 0, true]);
      expect(changeOf(params, "blur")!.sigma[0]![0]).toBe(0);
      expect(changeOf(params, "lowResolution")!.zoom[0]![0]).toBe(1);
    }
    for (const { image } of await augmented(planes, { ...OFF, elastic: { probability: 1, alpha: [20, 30], sigma: [1.5, 2] }, order: 1 })) {
      // Nothing came from in front of the plane or behind it.
      expect(Math.min(...image)).toBeGreaterThanOrEqual(1);
    }
  });

  it("with inPlane auto, stacks of slices over 3 times as long as deep turn in their planes, by planarDegrees", async () => {
    const anglesOf = async (shape: readonly [number, number, number, number], inPlane: boolean | "auto" = "auto") => {
      const samples = Array.from({ length: 20 }, (_, i) => noisy(`s${i}`, shape));
      const out = await augmented(samples, { ...OFF, rotation: { probability: 1, degrees: 5, planarDegrees: 180 }, inPlane });
      return out.map(({ params }) => params!.spatial!.angles);
    };
    const flat = await anglesOf([3, 10, 8, 1]);
    expect(flat.every(([, b, c]) => b === 0 && c === 0)).toBe(true);
    expect(Math.max(...flat.map(([a]) => Math.abs(a)))).toBeGreaterThan(1);
    const deep = await anglesOf([4, 12, 8, 1]);
    expect(deep.every((angles) => angles.every((angle) => angle !== 0 && Math.abs(angle) < 0.0874))).toBe(true);
    expect((await anglesOf([4, 12, 8, 1], true)).every(([, b, c]) => b === 0 && c === 0)).toBe(true);
  });

  it("cycles give so many copies with draws of their own, in order", async () => {
    const samples = [noisy("a"), noisy("b")];
    const out = await augmented(samples, { ...OFF, brightness: { probability: 1 }, cycles: 3 });
    expect(out.map(({ id }) => id)).toEqual(["a", "a", "a", "b", "b", "b"]);
    const factors = out.map(({ params }) => changeOf(params, "brightness")!.factor[0]!);
    expect(new Set(factors).size).toBe(6);
    out.forEach(({ image }, i) => {
      const before = dataOf(samples[Math.floor(i / 3)]!)[0];
      image.forEach((value, v) => {
        expect(value).toBeCloseTo(before[v]! * factors[i]!, 5);
      });
    });
  });

  it("epochs, patches, cycles and samples draw differently, the same key draws the same", async () => {
    const draw = async (sample: Sample) => {
      const [out] = await augmented([sample], { ...OFF, brightness: { probability: 1 } });
      return changeOf(out!.params, "brightness")!.factor[0];
    };
    const base = noisy("a");
    const keys = [base, { ...base, epoch: 1 }, { ...base, patch: 0 }, { ...base, patch: 1 }, { ...base, cycle: 0 }, { ...base, id: "b" }];
    const drawn = await Promise.all(keys.map(draw));
    expect(new Set(drawn).size).toBe(keys.length);
    expect(await draw(base)).toBe(drawn[0]);
  });

  it("switching a technique off leaves what the others draw", async () => {
    const options = { ...SPATIAL, probability: 1 };
    const [all] = await augmented([noisy("a")], options);
    const [without] = await augmented([noisy("a")], { ...options, contrast: false, scaling: false });
    expect(without!.params!.spatial!.angles).toEqual(all!.params!.spatial!.angles);
    expect(without!.params!.spatial!.elastic).toEqual(all!.params!.spatial!.elastic);
    expect(without!.params!.intensity).toEqual(all!.params!.intensity!.filter(({ technique }) => technique !== "contrast"));
  });
});
