import { describe, expect, it } from "vitest";
import { argMaxChannelsReference } from "../../src/kernels/arg-max-channels/reference.js";
import { argMaxChannels, labelCounts, mapLabels, oneHot } from "../../src/kernels/index.js";
import { labelCountsReference } from "../../src/kernels/label-counts/reference.js";
import { oneHotReference } from "../../src/kernels/one-hot/reference.js";
import { blobLabels, randomFloats, randomLabels } from "./random-arrays.js";

describe("oneHot", () => {
  it("equals the reference for 8 and 16 bits, float and byte outputs", () => {
    for (const count of [1, 7, 300, 5000]) {
      for (const classes of [1, 2, 3, 9]) {
        const labels = randomLabels(count, `${count}x${classes}`, classes);
        const expected = new Float32Array(count * classes);
        expect(oneHotReference(labels, expected, classes)).toBe(-1);
        for (const input of [labels, Uint16Array.from(labels)]) {
          const [floats, bytes] = [new Float32Array(count * classes).fill(5), new Uint8Array(count * classes).fill(5)];
          oneHot(input, floats, classes);
          oneHot(input, bytes, classes);
          expect(floats).toEqual(expected);
          expect(bytes).toEqual(Uint8Array.from(expected));
        }
      }
    }
  });

  it("names the first label that is not a class", () => {
    const labels = new Uint8Array(9000);
    labels[8500] = 3;
    labels[8600] = 7;
    expect(() => oneHot(labels, new Float32Array(27000), 3)).toThrow("oneHot: labels must be below 3, got 3 at voxel 8500");
    expect(() => oneHot(labels, new Float32Array(26999), 3)).toThrow("oneHot: output must be an array of 27000 elements, got 26999");
  });
});

describe("mapLabels", () => {
  it("looks every label up, between all widths and in place", () => {
    const labels = blobLabels(4000, "map", 6);
    const table = Uint16Array.from([0, 5, 4, 3, 2, 1]);
    const expected = Uint8Array.from(labels, (label) => table[label]!);
    for (const input of [labels, Uint16Array.from(labels)]) {
      for (const output of [new Uint8Array(4000), new Uint16Array(4000)]) {
        mapLabels(input, output, table);
        expect([...output]).toEqual([...expected]);
      }
    }
    mapLabels(labels, labels, table);
    expect(labels).toEqual(expected);
  });

  it("refuses labels without entry and entries that do not fit", () => {
    expect(() => mapLabels(Uint8Array.from([0, 1, 2]), new Uint8Array(3), Uint16Array.from([0, 1]))).toThrow(
      "mapLabels: table must have an entry for every label, got none for 2 at voxel 2",
    );
    expect(() => mapLabels(new Uint8Array(3), new Uint8Array(3), Uint16Array.from([0, 300]))).toThrow(
      "labels up to 255 for an 8-bit output, got 300",
    );
    const wide = new Uint16Array(3);
    mapLabels(Uint8Array.from([0, 1, 1]), wide, Uint16Array.from([0, 300]));
    expect([...wide]).toEqual([0, 300, 300]);
  });
});

describe("argMaxChannels", () => {
  it("equals the reference, and takes the lowest of equal classes", () => {
    for (const channels of [1, 2, 3, 4, 5, 6, 17]) {
      // Rounded scores, so that ties are common.
      const scores = randomFloats(channels * 3001, `${channels}`).map(Math.round);
      for (const output of [new Uint8Array(3001), new Uint16Array(3001)]) {
        const expected = output.slice();
        argMaxChannels(scores, output, channels);
        argMaxChannelsReference(scores, expected, channels);
        expect(output).toEqual(expected);
      }
    }
    const output = new Uint8Array(2);
    argMaxChannels(Float32Array.from([1, 1, 1, 0, 2, 2]), output, 3);
    expect([...output]).toEqual([0, 1]);
    expect(() => argMaxChannels(new Float32Array(600), output, 300)).toThrow("argMaxChannels: channels must be in [1, 256], got 300");
  });
});

describe("labelCounts", () => {
  it("equals the reference and ends at the largest label", () => {
    for (const count of [1, 8, 100, 9999]) {
      for (const labels of [
        blobLabels(count, "counts", 200),
        randomLabels(count, "counts", 5),
        Uint16Array.from(blobLabels(count, "wide", 9), (x) => x * 7000),
      ]) {
        const counts = labelCounts(labels);
        const reference = labelCountsReference(labels);
        expect([...counts]).toEqual([...reference.subarray(0, counts.length)]);
        expect(reference.subarray(counts.length).every((x) => x === 0)).toBe(true);
        expect(counts.reduce((a, b) => a + b, 0)).toBe(count);
        expect(counts.length).toBe(Math.max(...labels) + 1);
      }
    }
  });
});
