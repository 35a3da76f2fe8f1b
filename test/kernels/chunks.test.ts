import { crc32 as zlibCrc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Dtype, typedView } from "../../src/core/dtype.js";
import { Random } from "../../src/core/random.js";
import { elementCount, type Shape4, type Triple } from "../../src/core/shape.js";
import { crc32 } from "../../src/kernels/crc32/crc32.js";
import { native } from "../../src/kernels/native.js";
import { CHECKSUM_BYTES, packChunk } from "../../src/kernels/pack-chunk/pack-chunk.js";
import { packChunkReference } from "../../src/kernels/pack-chunk/reference.js";
import { statistics } from "../../src/kernels/statistics/statistics.js";
import { unpackChunkReference } from "../../src/kernels/unpack-chunk/reference.js";
import { unpackChunk } from "../../src/kernels/unpack-chunk/unpack-chunk.js";
import { float16 } from "../../src/kernels/voxel-encoding/float16.js";
import { type VoxelEncoding, voxelEncoding } from "../../src/kernels/voxel-encoding/voxel-encoding.js";

const random = new Random("chunks");
const triple = (make: (axis: number) => number): Triple => [make(0), make(1), make(2)];

describe("crc32", () => {
  it("equals zlib's for every length and alignment", () => {
    const bytes = Uint8Array.from({ length: 5000 }, () => random.integer(0, 255));
    for (let length = 0; length < 1200; length++) {
      const part = bytes.subarray(length % 17, (length % 17) + length);
      expect(crc32(part)).toBe(zlibCrc32(part));
    }
    expect(crc32(bytes)).toBe(zlibCrc32(bytes));
  });
});

describe("chunks", () => {
  const cases = (["float32", "uint8", "uint16"] as const).flatMap((dtype) =>
    (dtype === "float32" ? ([undefined, "int16", "float16"] as const) : [undefined]).map((form) => [dtype, form] as const),
  );

  it.each(cases)("of %s as %s are packed and unpacked by the addon as by the reference", (dtype, form) => {
    for (let trial = 0; trial < 60; trial++) {
      const shape: Shape4 = [random.integer(1, 6), random.integer(1, 9), random.integer(1, 90), random.integer(1, 3)];
      const input = typedView(dtype as Dtype, new ArrayBuffer(4 * elementCount(shape)), 0, elementCount(shape));
      for (let i = 0; i < input.length; i++) input[i] = dtype === "float32" ? random.normal() * 300 : random.integer(0, 200);
      const encoding = form && voxelEncoding(form, statistics(input as Float32Array, { channels: shape[3] }), false);
      // Boxes of whole rows are packed in other pieces.
      const isWhole = (axis: number) => axis === 2 && trial % 3 === 0;
      const start = triple((axis) => (isWhole(axis) ? 0 : random.integer(0, shape[axis]! - 1)));
      const size = triple((axis) => (isWhole(axis) ? shape[axis]! : random.integer(1, shape[axis]! - start[axis]!)));
      const bytes = elementCount(size) * shape[3] * (encoding ? 2 : input.BYTES_PER_ELEMENT) + CHECKSUM_BYTES;
      const [ours, reference] = [new Uint8Array(bytes), new Uint8Array(bytes)];
      packChunk(input, shape, start, size, ours, encoding);
      packChunkReference(input, shape, start, size, reference, encoding);
      expect(ours).toEqual(reference);

      const outShape: Shape4 = [size[0] + 1, size[1] + 2, size[2] + random.integer(0, 1), shape[3]];
      const from = triple((axis) => random.integer(0, size[axis]! - 1));
      const extent = triple((axis) => random.integer(1, size[axis]! - from[axis]!));
      const to = triple((axis) => random.integer(0, outShape[axis]! - extent[axis]!));
      const box = Int32Array.from([...size, ...from, ...to, ...extent]);
      // Chunks may begin at any byte.
      const odd = new Uint8Array(bytes + 1).subarray(1);
      odd.set(ours);
      const out = () => typedView(dtype as Dtype, new ArrayBuffer(4 * elementCount(outShape)), 0, elementCount(outShape));
      const [made, expected] = [out(), out()];
      unpackChunk(odd, box, made, outShape, encoding);
      unpackChunkReference(odd, box, expected, outShape, encoding);
      expect(made).toEqual(expected);
    }
  });

  it("go into outputs larger than the processor's caches as into small ones, wherever their rows begin, and nowhere else", () => {
    const chunk = Uint8Array.from({ length: 3 * 5 * 301 * 4 + 1 + CHECKSUM_BYTES }, () => random.integer(0, 255)).subarray(1);
    const outShape: Shape4 = [4, 64, 65_537, 1];
    const voxels = elementCount(outShape);
    const memory = new ArrayBuffer(4 * voxels + 4);
    const out = new Int32Array(memory, 4, voxels).fill(7);
    const [from, to, extent] = [
      [1, 0, 3],
      [2, 59, 65_537 - 290],
      [2, 5, 290],
    ] as const;
    unpackChunk(chunk, Int32Array.from([3, 5, 301, ...from, ...to, ...extent]), new Float32Array(memory, 4, voxels), outShape);
    const stored = new DataView(chunk.buffer, chunk.byteOffset);
    let written = 0;
    for (let z = 0; z < extent[0]; z++)
      for (let y = 0; y < extent[1]; y++)
        for (let x = 0; x < extent[2]; x++) {
          const at = ((to[0] + z) * outShape[1] + to[1] + y) * outShape[2] + to[2] + x;
          if (out[at] !== stored.getInt32((((from[0] + z) * 5 + from[1] + y) * 301 + from[2] + x) * 4, true))
            throw new Error(`voxel ${z},${y},${x} differs`);
          out[at] = 7;
          written++;
        }
    expect(written).toBe(2 * 5 * 290);
    expect(out.every((value) => value === 7)).toBe(true);
    expect(new Int32Array(memory, 0, 1)[0]).toBe(0);
  });

  it("refuses boxes outside of the array, the chunk and the output, in TypeScript and in the addon", () => {
    const input = new Float32Array(24);
    const shape: Shape4 = [2, 3, 4, 1];
    const chunk = new Uint8Array(24 * 4 + 4);
    expect(() => packChunk(input, shape, [0, 1, 0], [2, 3, 4], chunk)).toThrow(/start must be inside 2x3x4x1/);
    expect(() => packChunk(input, shape, [0, 0, 0], [2, 3, 4], chunk.subarray(4))).toThrow(/output must be an array of 100 elements/);
    const box = (...numbers: number[]) => Int32Array.from(numbers);
    for (const wrong of [
      box(2, 3, 4, 0, 0, 0, 0, 0, 0, 2, 3, 5),
      box(2, 3, 4, 0, 0, 1, 0, 0, 0, 2, 3, 4),
      box(2, 3, 4, 0, 0, 0, 1, 0, 0, 2, 3, 4),
      box(2, 3, 4, 0, 0, -1, 0, 0, 0, 2, 3, 4),
      box(2, 3, 9, 0, 0, 0, 0, 0, 0, 2, 3, 4),
      box(2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 3, 4),
    ]) {
      expect(() => unpackChunk(chunk, wrong, input, shape)).toThrow(expect.objectContaining({ code: "ERR_SHAPE" }));
      if (native()) expect(() => native()!.unpackChunk!(chunk, wrong, input, shape, 0, undefined, undefined)).toThrow(RangeError);
    }
    const addon = native();
    if (!addon) return;
    expect(() => addon.packChunk!(input, shape, [0, 1, 0], [2, 3, 4], chunk, 0, undefined, undefined)).toThrow(RangeError);
    expect(() => addon.packChunk!(input, shape, [0, 0, 0], [2, 3, 4], chunk.subarray(1), 0, undefined, undefined)).toThrow(RangeError);
    expect(() => addon.packChunk!(input, shape, [0, 0, 0], [2, 3, 4], chunk, 1, new Float64Array(0), undefined)).toThrow();
    expect(() => addon.packChunk!(new Uint8Array(24), shape, [0, 0, 0], [2, 3, 4], chunk, 2, undefined, undefined)).toThrow(RangeError);
  });
});

describe("voxels in 16 bits", () => {
  const through = (voxels: Float32Array, encoding: VoxelEncoding, channels: number): Float32Array => {
    const shape: Shape4 = [1, 1, voxels.length / channels, channels];
    const chunk = new Uint8Array(2 * voxels.length + CHECKSUM_BYTES);
    packChunk(voxels, shape, [0, 0, 0], [1, 1, shape[2]], chunk, encoding);
    const out = new Float32Array(voxels.length);
    unpackChunk(chunk, Int32Array.from([1, 1, shape[2], 0, 0, 0, 0, 0, 0, 1, 1, shape[2]]), out, shape, encoding);
    return out;
  };

  it.each(["int16", "float16"] as const)("as %s differ from the image by no more than the stated error, for each channel", (form) => {
    for (const [low, high] of [
      [-1024, 3071],
      [-4, 7],
      [1e-6, 3e-6],
      [-30000, 65000],
    ] as const) {
      const voxels = Float32Array.from({ length: 4000 }, (_, i) => (i % 2 === 0 ? random.uniform(low, high) : random.uniform(0, high / 10)));
      const encoding = voxelEncoding(form, statistics(voxels, { channels: 2 }), false);
      const back = through(voxels, encoding, 2);
      const worst = [0, 0];
      for (let i = 0; i < voxels.length; i++) worst[i % 2] = Math.max(worst[i % 2]!, Math.abs(back[i]! - voxels[i]!));
      for (const channel of [0, 1]) {
        expect(worst[channel]).toBeLessThanOrEqual(encoding.error[channel]!);
        // The bound is no more than four times what happens.
        expect(worst[channel]).toBeGreaterThan(encoding.error[channel]! / 4);
      }
    }
  });

  it("whole numbers within a range of 65 535 are exact as int16, and a constant image is exact in both", () => {
    const voxels = Float32Array.from({ length: 65536 }, (_, i) => i - 1024);
    const encoding = voxelEncoding("int16", statistics(voxels), true);
    expect(encoding.error).toEqual([0]);
    expect(through(voxels, encoding, 1)).toEqual(voxels);
    const constant = new Float32Array(9).fill(-1024);
    for (const form of ["int16", "float16"] as const) {
      expect(through(constant, voxelEncoding(form, statistics(constant), false), 1)).toEqual(constant);
    }
  });

  it("float16 rounds to the nearest, ties to even, subnormal numbers and zeros of both signs included", () => {
    // IEEE 754-2019: the largest, the smallest normal, the smallest subnormal number, halfway cases.
    const known: readonly [number, number][] = [
      [0, 0],
      [-0, 0x8000],
      [1, 0x3c00],
      [65504, 0x7bff],
      [2 ** -14, 0x0400],
      [2 ** -24, 0x0001],
      [2 ** -25, 0x0000],
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [-2, 0xc000],
    ];
    for (const [x, bits] of known) expect(float16.encode(x)).toBe(bits);
    for (let half = 0; half < 0x7c00; half++) expect(float16.encode(float16.decode(half))).toBe(half);
  });

  it("beyond its range float16 is refused", () => {
    expect(() => voxelEncoding("float16", statistics(Float32Array.from([0, 70000])), false)).toThrow(/within ±65504 for float16, got 70000/);
  });
});
