import { describe, expect, it } from "vitest";
import { type NativeAddon, native } from "../../src/kernels/native.js";
import "../../src/kernels/index.js";

const addon = native() as NativeAddon;

/** Calls that TypeScript's own checks would refuse: the addon must, too, since a wrong address ends the process. */
const f = (count: number) => new Float32Array(count);
const WRONG: readonly [keyof NativeAddon, readonly unknown[]][] = [
  ["clip", [f(3), f(4), 0, 1]],
  ["clip", [new Float64Array(4), f(4), 0, 1]],
  ["clip", [undefined, f(4), 0, 1]],
  ["clip", [f(4), [1, 2], 0, 1]],
  ["statistics", [f(4), 3, 0, 1, undefined, -1]],
  ["statistics", [f(4), 0, 0, 1, undefined, -1]],
  ["statistics", [f(4), 1, 0, 1, new Uint8Array(3), -1]],
  ["statistics", [f(4), 1, 0, 1, new Uint16Array(3), -1]],
  ["affineIntensity", [f(4), f(4), 1, new Float64Array(6), false]],
  ["affineIntensity", [f(4), f(4), -1, new Float64Array(7), false]],
  ["gamma", [f(4), f(4), 2, 2, 1, 0, 1, 1]],
  ["noise", [f(4), f(4), 1, new Float64Array(0), new Uint32Array(4)]],
  ["noise", [f(4), f(4), 1, new Float64Array(1), new Uint32Array(3)]],
  ["percentiles", [f(0), new Float64Array(1)]],
  ["percentiles", [f(3), Float64Array.of(100.5)]],
  ["percentiles", [f(3), Float64Array.of(Number.NaN)]],
  ["mirror", [f(8), [2, 2, 2, 1], f(7), true, true, true]],
  ["mirror", [f(8), [2, 2, 2, 1], new Uint8Array(8), true, true, true]],
  ["mirror", [f(8), [2, 2, -2, -1], f(8), true, true, true]],
  ["mirror", [f(8), [2, 2], f(8), true, true, true]],
  ["reorient", [f(8), [2, 2, 2, 1], f(7), [0, 1, 2], [0, 0, 0]]],
  ["reorient", [f(8), [2, 2, 2, 1], new Uint8Array(8), [0, 1, 2], [0, 0, 0]]],
  ["reorient", [f(8), [2, 2, 2, 1], f(8), [0, 1, 1], [0, 0, 0]]],
  ["reorient", [f(8), [2, 2, 2, 1], f(8), [0, 1, 3], [0, 0, 0]]],
  ["reorient", [f(8), [2, 2, 2, 1], f(8), [0, 1], [0, 0, 0]]],
  ["reorient", [f(8), [2, 2, 2, 1], f(8), [0, 1, 2], undefined]],
  ["copyBox", [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0], f(1)]],
  ["copyBox", [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, Number.POSITIVE_INFINITY], f(1)]],
  ["copyBox", [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, 0], f(0)]],
  ["copyBox", [f(8), [2, 2, 2, 1], f(16), [2, 2, 2, 2], [0, 0, 0], f(1)]],
  ["padOutside", [f(8), [2, 2, 2, 1], [2, 2, 2, 1], [0, 0, 1], 0]],
  ["padOutside", [f(8), [2, 2, 2, 1], [2, 2, 2, 1], [0, 0, 0], 3]],
  ["resampleImage", [f(8), [2, 2, 2, 1], f(7), [2, 2, 2, 1], 1]],
  ["resampleImage", [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], 2]],
  ["resampleImage", [f(8), [2, 2, 2, 1], f(16), [2, 2, 2, 2], 1]],
  ["resampleLabel", [new Uint8Array(8), [2, 2, 2, 1], new Uint16Array(8), [2, 2, 2, 1], 1]],
  ["resampleLabel", [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], 1]],
  ["gaussianFilter", [f(8), [2, 2, 2, 1], f(8), [1, 1, -1], 0, 4]],
  ["gaussianFilter", [f(8), [2, 2, 2, 1], f(8), [1, 1, 1], 3, 4]],
  ["gaussianFilter", [f(8), [2, 2, 2, 1], f(8), undefined, 0, 4]],
  ["elasticField", [f(23), [2, 2, 2], new Uint32Array(4), 1, 9]],
  ["elasticField", [f(24), [2, 2, 2], new Uint32Array(4), 1, Number.NaN]],
  ["elasticLattice", [f(10), [2, 2, 2], 3, new Uint32Array(4), 1, 9]],
  ["elasticLattice", [f(192), [2, 2, 2], 0, new Uint32Array(4), 1, 9]],
  ["sampleImage", [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, 0], [1, 0, 0], undefined, 1, new Float64Array(1)]],
  ["sampleImage", [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, Number.NaN], [1, 0, 0, 0, 1, 0, 0, 0, 1], undefined, 3, new Float64Array(1)]],
  ["sampleImage", [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0, 1], f(23), 3, new Float64Array(1)]],
  [
    "sampleImage",
    [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0, 1], undefined, 3, new Float64Array(1), f(192), [4, 4, 5], 3],
  ],
  [
    "sampleImage",
    [f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0, 1], undefined, 3, new Float64Array(1), f(191), [4, 4, 4], 3],
  ],
  ["sampleLabel", [new Uint8Array(7), [2, 2, 2, 1], new Uint8Array(8), [2, 2, 2, 1], [0, 0, 0], [1, 0, 0, 0, 1, 0, 0, 0, 1], undefined, 1, 0]],
  ["oneHot", [new Uint8Array(4), f(7), 2]],
  ["oneHot", [new Uint8Array(4), f(8), 0]],
  ["oneHot", [f(4), f(8), 2]],
  ["mapLabels", [new Uint8Array(4), new Uint8Array(3), new Uint16Array(1)]],
  ["mapLabels", [new Uint8Array(4), new Uint8Array(4), new Float64Array(1)]],
  ["argMaxChannels", [f(7), new Uint8Array(4), 2]],
  ["argMaxChannels", [f(8), new Uint8Array(4), 0]],
  ["labelCounts", [f(4)]],
  ["connectedComponents", [new Uint8Array(8), [2, 2, 2], new Int32Array(7), 26]],
  ["connectedComponents", [new Uint8Array(8), [2, 2, 2], new Int32Array(8), 8]],
  ["distanceTransform", [new Uint8Array(7), [2, 2, 2], f(8), [1, 1, 1]]],
  ["distanceTransform", [new Uint8Array(8), [2, 2, 2], f(8), [1, 0, 1]]],
  ["extractSurface", [new Uint8Array(8), [2, 2, 2], new Uint8Array(7), 1]],
  ["extractSurface", [f(8), [2, 2, 2], new Uint8Array(8), 1]],
  ["windowAccumulate", [f(8), f(7), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, 0], undefined]],
  ["windowAccumulate", [f(8), f(8), [2, 2, 2, 1], f(8), [2, 2, 2, 1], [0, 0, 0], f(7)]],
  ["windowAccumulate", [f(8), f(8), [2, 2, 2, 1], f(16), [2, 2, 2, 2], [0, 0, 0], undefined]],
  ["windowFinish", [f(8), f(8), f(8), 0]],
  ["windowFinish", [f(8), f(8), f(7), 1]],
];

describe.skipIf(!addon)("the addon", () => {
  it("has every data kernel", () => {
    for (const name of new Set(WRONG.map(([kernel]) => kernel))) expect(typeof addon[name], name).toBe("function");
  });

  it.each(WRONG.map(([name, args], i) => [`${name} ${i}`, name, args] as const))("refuses wrong arguments: %s", (_, name, args) => {
    expect(() => (addon[name] as (...args: unknown[]) => unknown)(...args)).toThrow();
  });
});
