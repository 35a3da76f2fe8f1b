import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { elementCount, type Shape4 } from "../../../src/core/shape.js";
import { statistics } from "../../../src/kernels/statistics/statistics.js";
import { changeIntensity, type IntensityChange } from "../../../src/workers/steps/change-intensity.js";
import { largestDifference, randomFloats } from "../../kernels/random-arrays.js";

interface Golden {
  readonly shape: Shape4;
  readonly input: number[];
  readonly lowResolution: { readonly zoom: number; readonly output: number[] };
  readonly blur: { readonly sigma: readonly [number, number, number]; readonly output: number[] };
}

// Tool, version and call stand in the file.
const golden = JSON.parse(readFileSync(new URL("golden/augment.json", import.meta.url), "utf8")) as Golden;

function changed(input: ArrayLike<number>, shape: Shape4, ...changes: IntensityChange[]): Float32Array {
  const voxels = Float32Array.from(input);
  changeIntensity(voxels, shape, changes, () => false);
  return voxels;
}

/** One channel of interleaved voxels. */
const channelOf = (voxels: Float32Array, channel: number, channels: number) => voxels.filter((_, i) => i % channels === channel);

it("blur equals SciPy, with a deviation for each axis", () => {
  const { sigma, output } = golden.blur;
  expect(largestDifference(changed(golden.input, golden.shape, { technique: "blur", sigma: [sigma] }), output)).toBeLessThan(1e-5);
});

it("low resolution equals scikit-image: nearest down, cubic up", () => {
  const { zoom, output } = golden.lowResolution;
  const change = { technique: "lowResolution", zoom: [[zoom, zoom, zoom]], upOrder: 3 } as const;
  expect(largestDifference(changed(golden.input, golden.shape, change), output)).toBeLessThan(1e-5);
});

it("filters each channel by its own numbers, as if it were alone", () => {
  const shape: Shape4 = [5, 9, 8, 3];
  const alone: Shape4 = [5, 9, 8, 1];
  const input = randomFloats(elementCount(shape), "channels");
  const none = [0, 0, 0] as const;
  const amounts = [[0.5, 0.8, 1], none, [1, 0, 0.7]] as const;
  const blurred = changed(input, shape, { technique: "blur", sigma: amounts });
  const zooms = amounts.map(([a, b, c]) => [1 - a / 2, 1 - b / 2, 1 - c / 2] as const);
  const coarse = changed(input, shape, { technique: "lowResolution", zoom: zooms, upOrder: 1 });
  for (const c of [0, 1, 2]) {
    const own = channelOf(input, c, 3);
    expect(channelOf(blurred, c, 3)).toEqual(changed(own, alone, { technique: "blur", sigma: [amounts[c]!] }));
    expect(channelOf(coarse, c, 3)).toEqual(changed(own, alone, { technique: "lowResolution", zoom: [zooms[c]!], upOrder: 1 }));
  }
  expect(channelOf(blurred, 1, 3)).toEqual(channelOf(input, 1, 3));
});

it("gamma keeps mean and deviation, inverted too; without that the range", () => {
  const input = randomFloats(20 * 30 * 40, "gamma", -3, 9);
  const [before] = statistics(input);
  for (const technique of ["gamma", "invertedGamma"] as const) {
    for (const exponent of [0.7, 1.5]) {
      const kept = changed(input, [20, 30, 40, 1], { technique, gamma: [exponent], retainStatistics: true });
      const [after] = statistics(kept);
      expect(Math.abs(after!.mean - before!.mean)).toBeLessThan(1e-5);
      expect(Math.abs(after!.std - before!.std)).toBeLessThan(1e-5);
      expect(largestDifference(kept, input)).toBeGreaterThan(0.1);
      const [bare] = statistics(changed(input, [20, 30, 40, 1], { technique, gamma: [exponent], retainStatistics: false }));
      expect(Math.abs(bare!.min - before!.min) + Math.abs(bare!.max - before!.max)).toBeLessThan(1e-4);
      // A curve that hangs below its chord darkens; seen from the other end it brightens.
      expect(Math.sign(bare!.mean - before!.mean)).toBe(Math.sign((1 - exponent) * (technique === "gamma" ? 1 : -1)));
    }
  }
});

it("goes through its list in order, and leaves off when it is stopped", () => {
  const brightness: IntensityChange = { technique: "brightness", factor: [2] };
  const more: IntensityChange = { technique: "additiveBrightness", amount: [1] };
  expect([...changed([1, 3], [1, 1, 2, 1], brightness, more)]).toEqual([3, 7]);
  expect([...changed([1, 3], [1, 1, 2, 1], more, brightness)]).toEqual([4, 8]);
  let asked = 0;
  const voxels = Float32Array.of(1, 3);
  changeIntensity(voxels, [1, 1, 2, 1], [brightness, more], () => asked++ > 0);
  expect([...voxels]).toEqual([2, 6]);
});

it("neutral numbers change nothing, bit for bit", () => {
  const shape: Shape4 = [4, 6, 5, 2];
  const input = randomFloats(elementCount(shape), "neutral", -1000, 1000);
  const neutral: IntensityChange[] = [
    { technique: "contrast", factor: [1, 1], preserveRange: true },
    { technique: "brightness", factor: [1, 1] },
    { technique: "additiveBrightness", amount: [0, 0] },
    { technique: "gamma", gamma: [1, 1], retainStatistics: true },
    { technique: "invertedGamma", gamma: [1, 1], retainStatistics: true },
    { technique: "noise", sigma: [0, 0], key: [1, 2, 3, 4] },
    {
      technique: "blur",
      sigma: [
        [0, 0, 0],
        [0, 0, 0],
      ],
    },
    {
      technique: "lowResolution",
      zoom: [
        [1, 1, 1],
        [1, 1, 1],
      ],
      upOrder: 3,
    },
  ];
  for (const change of neutral) expect(changed(input, shape, change), change.technique).toEqual(input);
});
