import { describe, expect, test } from "vitest";
import { historyWords } from "../../../src/server/page/data/history-words.js";
import { readCapture } from "../../../src/server/page/data/read-capture.js";

describe("historyWords", () => {
  test("tells what was done to a sample", () => {
    const words = historyWords([
      { operator: "load", params: { wantsLabel: true } },
      { operator: "clip", params: { min: -160, max: 300 } },
      { operator: "resample", params: { spacing: [3.22, 1.62, 1.62], order: 3, labelOrder: 0 } },
      { operator: "normalize", params: { mode: "z-score", range: [0, 1], perChannel: true } },
      { operator: "patch", params: { start: [4, -1, 4], size: [16, 32, 32] } },
      {
        operator: "augment",
        params: {
          mirror: [true, false, true],
          spatial: {
            angles: [0.122173, 0, -0.0523599],
            scale: [0.8, 0.8, 0.8],
            shift: [0, 2.5, 0],
            elastic: { alpha: 200, sigma: 9.5, key: [1, 2, 3, 4], planar: false },
            order: 3,
            labelOrder: 0,
          },
          intensity: [
            { technique: "gamma", gamma: [1.2], retainStatistics: true },
            { technique: "contrast", factor: [0.75, 1.25], preserveRange: true },
            { technique: "noise", sigma: [0.03, 0.03], key: [1, 2, 3, 4] },
            { technique: "blur", sigma: [[0.7, 0.7, 0.7]] },
          ],
          labels: true,
        },
      },
    ]);
    expect(words).toEqual([
      "loaded, turned to point right, front, up",
      "clipped to -160 … 300",
      "resampled to 3.22 × 1.62 × 1.62 mm, cubic splines",
      "normalized to mean 0, deviation 1",
      "patch of 16 × 32 × 32 voxels from (4, -1, 4)",
      "mirrored top to bottom and left to right",
      "rotated 7.0° about depth, -3.0° about width",
      "zoomed × 1.25",
      "shifted 2.5 voxels along height",
      "bent elastically, strength 200, smoothness 9.5 voxels",
      "gamma 1.20",
      "contrast × 0.75 / 1.25",
      "noise of deviation 0.030",
      "blurred, deviation 0.70 voxels",
    ]);
  });

  test("says so when nothing struck, and tells unknown operators with their parameters, at a bearable length", () => {
    expect(historyWords([{ operator: "augment", params: { labels: true } }])).toEqual(["augment: nothing struck this sample"]);
    expect(historyWords([{ operator: "mine", params: { strength: 0.123456, way: "up" } }])).toEqual(['mine: strength 0.1235, way "up"']);
    expect(historyWords([{ operator: "mine", params: null }])).toEqual(["mine"]);
    expect(historyWords([{ operator: "mine", params: { long: "x".repeat(1000) } }])[0]!.length).toBeLessThan(200);
    // Parameters of another version must not break the page.
    for (const operator of [
      "load",
      "clip",
      "resample",
      "normalize",
      "patch",
      "augment",
      "mapLabels",
      "pad",
      "cropForeground",
      "orient",
      "constructor",
    ])
      for (const params of [null, {}, [], "text", { spatial: 3, intensity: [null, 4], pairs: 3, spacing: null }])
        expect(historyWords([{ operator, params: params as never }]).length).toBeGreaterThan(0);
  });
});

describe("readCapture", () => {
  const description = { step: 3, epoch: 1, shape: [1, 2, 2, 1], classes: ["background", "a", "b"], left: 0, samples: [{ id: "x" }, { id: "y" }] };
  const image = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const join = (...parts: ArrayBufferView[]) => {
    const bytes = Buffer.concat(parts.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)));
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  };

  test("puts voxels and labels of each sample together, whatever the type of the labels", () => {
    const bytes = join(image, Uint8Array.from([0, 1, 2, 0, 1, 1, 1, 0]));
    const { samples } = readCapture({ ...description, label: { dtype: "uint8", channels: 1, offset: 32 } }, bytes);
    expect(samples.map(({ id, image: voxels, label }) => [id, [...voxels], [...(label as Uint8Array)]])).toEqual([
      ["x", [1, 2, 3, 4], [0, 1, 2, 0]],
      ["y", [5, 6, 7, 8], [1, 1, 1, 0]],
    ]);
    const oneHot = Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0]);
    const hot = readCapture({ ...description, label: { dtype: "float32", channels: 3, offset: 32 } }, join(image, oneHot));
    expect(hot.samples.map(({ label }) => [...(label as Uint16Array)])).toEqual([
      [0, 1, 2, 0],
      [2, 2, 1, 0],
    ]);
    expect(readCapture({ ...description, label: null }, join(image)).samples[1]!.label).toBeUndefined();
  });

  test("refuses what does not fit together", () => {
    expect(() => readCapture({ ...description, label: null }, join(image.subarray(0, 7)))).toThrow("not complete");
    expect(() => readCapture({ ...description, label: { dtype: "uint8", channels: 1, offset: 32 } }, join(image))).toThrow("not complete");
    expect(() => readCapture({ ...description, shape: [1, 2, "2", 1], label: null }, join(image))).toThrow("of another make");
    expect(() => readCapture({ ...description, samples: "x", label: null }, join(image))).toThrow("of another make");
  });
});
