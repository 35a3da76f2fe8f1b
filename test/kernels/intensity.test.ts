import { describe, expect, it } from "vitest";
import { hashKey } from "../../src/core/random.js";
import { affineIntensityReference, roundHalfEven } from "../../src/kernels/affine-intensity/reference.js";
import { clipReference } from "../../src/kernels/clip/reference.js";
import { affineIntensity, clip, contrast, gamma, noise, normalize, percentiles, statistics } from "../../src/kernels/index.js";
import { noiseReference } from "../../src/kernels/noise/reference.js";
import { percentilesReference } from "../../src/kernels/percentiles/reference.js";
import { statisticsReference } from "../../src/kernels/statistics/reference.js";
import { blobLabels, largestDifference, randomFloats } from "./random-arrays.js";

const LENGTHS = [1, 2, 15, 16, 17, 63, 64, 65, 1000, 4099, 9001];

describe("clip", () => {
  it("equals the reference at every length, also in place", () => {
    for (const length of LENGTHS) {
      const input = randomFloats(length, `clip${length}`);
      const [native, reference] = [new Float32Array(length), new Float32Array(length)];
      clip(input, native, { min: -0.3, max: 1.7 });
      clipReference(input, reference, -0.3, 1.7);
      expect(native).toEqual(reference);
      clip(input, input, { min: -0.3, max: 1.7 });
      expect(input).toEqual(reference);
    }
  });

  it("keeps NaN and refuses an empty range", () => {
    const output = new Float32Array(40);
    clip(new Float32Array(40).fill(Number.NaN), output, { min: 0, max: 1 });
    expect(output.every(Number.isNaN)).toBe(true);
    expect(() => clip(output, output, { min: 2, max: 1 })).toThrow("clip: min must be <= max, got [2,1]");
    expect(() => clip(output, new Float32Array(3), { min: 0, max: 1 })).toThrow("clip: output must be an array of 40 elements, got 3");
  });
});

describe("statistics", () => {
  it("equals the two-pass reference for any channels, clip and mask", () => {
    for (const channels of [1, 2, 3, 4, 5, 7]) {
      for (const voxels of [1, 3, 17, 500, 2048, 5003]) {
        const input = randomFloats(channels * voxels, `${channels}x${voxels}`, 990, 1010);
        const labels = blobLabels(voxels, `${channels}x${voxels}`, 3);
        for (const options of [{}, { clip: { min: 995, max: 1004 } }, { labels }, { labels, label: 2 }]) {
          const expected = statisticsReference(
            input,
            channels,
            options.clip ? [995, 1004] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
            "labels" in options ? labels : undefined,
            "label" in options ? options.label : undefined,
          );
          statistics(input, { channels, ...options }).forEach((found, c) => {
            const { count, min, max, mean, std } = expected[c]!;
            expect(found.count).toBe(count);
            expect(found.min).toBe(min);
            expect(found.max).toBe(max);
            if (count === 0) return;
            expect(Math.abs(found.mean - mean)).toBeLessThan(1e-10);
            expect(Math.abs(found.std - std)).toBeLessThan(1e-9);
          });
        }
      }
    }
  });

  it("does not cancel under a large offset", () => {
    const input = Float32Array.from({ length: 100_000 }, (_, i) => 1e6 + (i % 2));
    const [found] = statistics(input);
    expect(found!.std).toBeCloseTo(0.5, 9);
    expect(found!.mean).toBeCloseTo(1e6 + 0.5, 6);
  });
});

describe("affineIntensity", () => {
  it("equals the reference for any channels", () => {
    for (const channels of [1, 2, 3, 4, 6]) {
      for (const voxels of [1, 5, 16, 33, 1001]) {
        const input = randomFloats(channels * voxels, `affine${channels}x${voxels}`);
        const of = (k: number) => Array.from({ length: channels }, (_, c) => k + 0.1 * c);
        for (const round of [false, true]) {
          const native = new Float32Array(input.length);
          const options = {
            channels,
            shift: of(1),
            scale: of(7.3),
            offset: of(-2),
            clip: { min: of(-1), max: of(3) },
            limits: { min: of(-9), max: of(8) },
            round,
          };
          affineIntensity(input, native, options);
          const reference = new Float32Array(input.length);
          const terms = {
            low: Float64Array.from(of(-1), Math.fround),
            high: Float64Array.from(of(3), Math.fround),
            shift: Float64Array.from(of(1)),
            scale: Float64Array.from(of(7.3)),
            offset: Float64Array.from(of(-2)),
            floor: Float64Array.from(of(-9)),
            ceiling: Float64Array.from(of(8)),
            round,
          };
          affineIntensityReference(input, reference, channels, terms);
          expect(largestDifference(native, reference)).toBeLessThan(round ? 1.0001 : 1e-5);
          // Only a value that stands on a half may round to the other side.
          expect(native.filter((value, i) => Math.abs(value - reference[i]!) > 1e-5).length).toBeLessThanOrEqual(voxels / 100);
        }
      }
    }
  });

  it("does not cancel under a large shift", () => {
    const input = randomFloats(1000, "cancel", 1e4, 1e4 + 1);
    const output = new Float32Array(1000);
    affineIntensity(input, output, { shift: 10000.123456789, scale: 3 });
    expect(
      largestDifference(
        output,
        Float64Array.from(input, (x) => (x - 10000.123456789) * 3),
      ),
    ).toBeLessThan(1e-6);
  });

  it("rounds halves to even", () => {
    const halves = Float32Array.from({ length: 40 }, (_, i) => i - 20 + 0.5);
    const output = new Float32Array(40);
    affineIntensity(halves, output, { round: true });
    expect([...output].map((x) => x + 0)).toEqual([...halves].map((x) => roundHalfEven(x) + 0));
    expect([...output.subarray(18, 23)].map((x) => x + 0)).toEqual([-2, 0, 0, 2, 2]);
  });
});

describe("normalize", () => {
  const input = Float32Array.from([0, 50, 100, 150]);

  // Values of MIScnn 1.4's formulas, evaluated with NumPy.
  it("equals MIScnn's z-score, min-max and grayscale", () => {
    const output = new Float32Array(4);
    normalize(input, output, { mode: "z-score" });
    expect(largestDifference(output, [-1.34164074, -0.44721357, 0.44721361, 1.34164078])).toBeLessThan(2e-7);
    normalize(input, output, { mode: "grayscale" });
    expect([...output]).toEqual([0, 85, 170, 255]);
    normalize(input, output, { mode: "min-max", range: [-1, 1] });
    expect(largestDifference(output, [-1, -1 / 3, 1 / 3, 1])).toBeLessThan(1e-6);
  });

  it("makes a constant image 1, 1 and 255", () => {
    const output = new Float32Array(100);
    for (const [mode, value] of [
      ["z-score", 1],
      ["min-max", 1],
      ["grayscale", 255],
    ] as const) {
      normalize(new Float32Array(100).fill(7), output, { mode });
      expect(largestDifference(output, new Float32Array(100).fill(value))).toBeLessThan(1e-6);
    }
  });

  it("with clip equals clipping first", () => {
    const image = randomFloats(5000, "clip first", -200, 500);
    const [fused, apart] = [new Float32Array(5000), new Float32Array(5000)];
    normalize(image, fused, { mode: "z-score", clip: { min: -79, max: 304 } });
    clip(image, apart, { min: -79, max: 304 });
    normalize(apart, apart, { mode: "z-score" });
    expect(largestDifference(fused, apart)).toBe(0);
  });

  it("by percentiles equals clipping at sorted ranks and min-max, for any channels and labels", () => {
    for (const channels of [1, 2, 3]) {
      for (const perChannel of [true, false]) {
        for (const voxels of [1, 40, 777]) {
          const image = randomFloats(channels * voxels, `percentile${channels}x${voxels}`, -90, 300);
          const labels = blobLabels(voxels, `percentile${voxels}`, 2);
          for (const mask of [undefined, labels, new Uint8Array(voxels)]) {
            const output = new Float32Array(image.length);
            normalize(image, output, {
              mode: "percentile",
              channels,
              perChannel,
              percentiles: [5, 80],
              range: [-1, 2],
              ...(mask && { labels: mask }),
            });
            const counts = (v: number) => !mask?.includes(1) || mask[v]! > 0;
            for (let c = 0; c < channels; c++) {
              const chosen = image.filter((_, i) => (!perChannel || i % channels === c) && counts(Math.floor(i / channels)));
              const [low, high] = percentilesReference(chosen, [5, 80]) as [number, number];
              for (let i = c; i < image.length; i += channels) {
                const expected = ((Math.min(Math.max(image[i]!, low), high) - low + 1e-6) / (high - low + 1e-6)) * 3 - 1;
                expect(Math.abs(output[i]! - expected)).toBeLessThan(1e-5);
              }
            }
          }
        }
      }
    }
  });

  it("takes each channel, or the labelled voxels, on their own", () => {
    const image = randomFloats(3000, "two channels");
    for (let i = 0; i < 3000; i += 2) image[i]! *= 100;
    const output = new Float32Array(3000);
    normalize(image, output, { mode: "z-score", channels: 2 });
    for (const { mean, std } of statistics(output, { channels: 2 })) {
      expect(mean).toBeCloseTo(0, 4);
      expect(std).toBeCloseTo(1, 4);
    }
    const labels = blobLabels(3000, "foreground", 2);
    normalize(image, output, { mode: "z-score", labels });
    const [foreground] = statistics(output, { labels });
    expect(foreground!.mean).toBeCloseTo(0, 4);
    expect(foreground!.std).toBeCloseTo(1, 4);
    normalize(image, output, { mode: "z-score", labels: new Uint8Array(3000) });
    expect(statistics(output)[0]!.std).toBeCloseTo(1, 4);
  });
});

describe("contrast", () => {
  // batchgenerators 0.21's formula, evaluated with NumPy.
  it("equals the formula with and without room", () => {
    const input = Float32Array.from([1, 2, 3, 6]);
    const output = new Float32Array(4);
    contrast(input, output, { factor: 2 });
    expect([...output]).toEqual([1, 1, 3, 6]);
    contrast(input, output, { factor: 0.5 });
    expect([...output]).toEqual([2, 2.5, 3, 4.5]);
    contrast(input, output, { factor: 2, preserveRange: false });
    expect([...output]).toEqual([-1, 1, 3, 9]);
  });
});

describe("gamma", () => {
  const input = Float32Array.from([1, 2, 3, 6]);

  // batchgenerators' formulas, evaluated with NumPy; the corrected one keeps the mean.
  it("equals the formula with and without retained statistics", () => {
    const output = new Float32Array(4);
    gamma(input, output, { gamma: 0.7, retainStatistics: false });
    expect(largestDifference(output, [1, 2.62065661, 3.63276442, 6])).toBeLessThan(2e-6);
    gamma(input, output, { gamma: 0.7 });
    expect(largestDifference(output, [0.61318769, 2.28530576, 3.32955151, 5.77195505])).toBeLessThan(2e-6);
  });

  it("keeps mean and deviation, is the identity at 1, and equals its power for any channels", () => {
    for (const channels of [1, 2, 3]) {
      for (const voxels of [7, 100, 3001]) {
        const image = randomFloats(channels * voxels, `gamma${channels}x${voxels}`);
        const output = new Float32Array(image.length);
        for (const invert of [false, true]) {
          for (const exponent of [0.7, 1.5]) {
            gamma(image, output, { channels, gamma: exponent, retainStatistics: false, invert });
            const expected = new Float64Array(image.length);
            statistics(image, { channels }).forEach(({ min, max }, c) => {
              const width = max - min + 1e-7;
              for (let i = c; i < image.length; i += channels) {
                expected[i] = invert
                  ? -(((max - image[i]!) / width) ** exponent * width - max)
                  : ((image[i]! - min) / width) ** exponent * width + min;
              }
            });
            expect(largestDifference(output, expected)).toBeLessThan(1e-5);
            gamma(image, output, { channels, gamma: exponent, invert });
            const before = statistics(image, { channels });
            statistics(output, { channels }).forEach(({ mean, std }, c) => {
              expect(mean).toBeCloseTo(before[c]!.mean, 4);
              expect(std).toBeCloseTo(before[c]!.std, 4);
            });
          }
          gamma(image, output, { channels, gamma: 1, invert });
          expect(largestDifference(output, image)).toBeLessThan(1e-5);
        }
      }
    }
  });

  it("leaves a constant image alone and refuses an exponent of 0", () => {
    const output = new Float32Array(20);
    gamma(new Float32Array(20).fill(3), output, { gamma: 0.7 });
    expect(largestDifference(output, new Float32Array(20).fill(3))).toBeLessThan(1e-5);
    expect(() => gamma(output, output, { gamma: 0 })).toThrow("gamma: gamma must be > 0, got 0");
  });
});

describe("noise", () => {
  const key = hashKey(["noise", 1]);

  it("equals the reference for any length and channels", () => {
    for (const channels of [1, 2, 3]) {
      for (const voxels of [1, 21, 64, 500]) {
        const input = randomFloats(channels * voxels, `noise${channels}x${voxels}`);
        const sigma = Array.from({ length: channels }, (_, c) => 0.5 + c);
        const [native, reference] = [new Float32Array(input.length), new Float32Array(input.length)];
        noise(input, native, { channels, sigma, key });
        noiseReference(input, reference, channels, Float64Array.from(sigma), key);
        expect(largestDifference(native, reference)).toBeLessThan(1e-5);
      }
    }
  });

  it("is standard normal and white", () => {
    const count = 400_000;
    const field = new Float32Array(count);
    noise(new Float32Array(count), field, { sigma: 1, key });
    const moment = (power: number) => field.reduce((sum, x) => sum + x ** power, 0) / count;
    // Four standard errors of each moment of a normal sample.
    expect(Math.abs(moment(1))).toBeLessThan(4 * Math.sqrt(1 / count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / count));
    for (const lag of [1, 2, 15, 16, 17, 32, 48, 64]) {
      let sum = 0;
      for (let i = lag; i < count; i++) sum += field[i]! * field[i - lag]!;
      expect(Math.abs(sum / (count - lag))).toBeLessThan(4.5 * Math.sqrt(1 / count));
    }
    const other = new Float32Array(count);
    noise(new Float32Array(count), other, { sigma: 1, key: hashKey(["noise", 2]) });
    expect(Math.abs(field.reduce((sum, x, i) => sum + x * other[i]!, 0) / count)).toBeLessThan(4.5 * Math.sqrt(1 / count));
  });

  it("depends on key and element only: a prefix is a prefix, and sigma 0 is the identity", () => {
    const [long, short] = [new Float32Array(1000), new Float32Array(333)];
    noise(new Float32Array(1000), long, { sigma: 2, key });
    noise(new Float32Array(333), short, { sigma: 2, key });
    expect(long.subarray(0, 333)).toEqual(short);
    const input = randomFloats(100, "identity");
    noise(input, short.subarray(0, 100), { sigma: 0, key });
    expect(short.subarray(0, 100)).toEqual(input);
    expect(() => noise(input, input, { sigma: -1, key })).toThrow("noise: sigma must be >= 0, got -1");
  });
});

describe("percentiles", () => {
  it("equals sorting, negative values and repeated ones included", () => {
    for (const length of LENGTHS) {
      const values = randomFloats(length, `percentiles${length}`, -100, 100).map((x, i) => (i % 3 ? x : Math.round(x)));
      const ranks = [0, 0.5, 25, 50, 99.5, 100];
      expect(largestDifference(percentiles(values, ranks), percentilesReference(values, ranks))).toBeLessThan(1e-12);
    }
    // numpy 1.24.2: np.percentile([3, 1, 2, 10], [10, 50, 90])
    expect(largestDifference(percentiles(Float32Array.from([3, 1, 2, 10]), [10, 50, 90]), [1.3, 2.5, 7.9])).toBeLessThan(1e-6);
    expect(() => percentiles(new Float32Array(0), [50])).toThrow("percentiles: values must not be empty");
    expect(() => percentiles(new Float32Array(3), [101])).toThrow("percentiles: ranks must be in [0, 100], got 101");
  });
});
