import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeVoxels } from "../../../src/kernels/decode/decode-voxels.js";
import { type DecodePlan, DecodeReport, decodeVoxelsReference, STORED_BYTES, type StoredDtype } from "../../../src/kernels/decode/reference.js";
import { native } from "../../../src/kernels/native.js";

const DTYPES = Object.keys(STORED_BYTES) as StoredDtype[];

interface Job {
  readonly plan: DecodePlan;
  readonly bytes: Uint8Array;
  readonly elements: number;
  /** Bytes of each piece. */
  readonly pieces: readonly number[];
}

/** Any type, byte order, scaling and orientation, random bytes (so also NaN, infinity and huge integers), cut into random pieces. */
const jobs = fc
  .record({
    dtype: fc.constantFrom(...DTYPES),
    littleEndian: fc.boolean(),
    scaling: fc.constantFrom([1, 0], [1, -1024], [0.0039215688593685627, 0.5], [-3.5, 7], [1e30, 0]),
    extents: fc.tuple(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 3 }),
    ),
    order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
    flips: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    of: fc.integer({ min: 0, max: 2 }),
    seed: fc.integer(),
    cut: fc.constantFrom("whole", "slices", "anywhere"),
    small: fc.boolean(),
  })
  .map(({ dtype, littleEndian, scaling, extents, order, flips, of, seed, cut, small }): Job => {
    const channels = extents[3] + of;
    const strides: [number, number, number, number] = [0, 0, 0, 1];
    let step = channels;
    let offset = 0;
    for (const axis of order as (0 | 1 | 2)[]) {
      strides[axis] = flips[axis] ? -step : step;
      if (flips[axis]) offset += step * (extents[axis] - 1);
      step *= extents[axis];
    }
    const count = extents[0] * extents[1] * extents[2] * extents[3];
    const size = STORED_BYTES[dtype];
    const bytes = new Uint8Array(count * size);
    let state = seed | 1;
    for (let n = 0; n < bytes.length; n++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      bytes[n] = small && n % size !== (littleEndian ? 0 : size - 1) ? 0 : state >>> 24;
    }
    const unit = cut === "slices" ? extents[0] * extents[1] * size * 3 : cut === "anywhere" ? size * 17 : bytes.length;
    const pieces = Array.from({ length: Math.ceil(bytes.length / unit) }, (_, n) => Math.min(unit, bytes.length - n * unit));
    return {
      plan: { dtype, littleEndian, slope: scaling[0]!, intercept: scaling[1]!, shape: extents, offset, strides },
      bytes,
      elements: step,
      pieces,
    };
  });

type Decode = typeof decodeVoxels;

function run<T extends Float32Array | Uint8Array | Uint16Array>(
  decode: Decode,
  { plan, bytes, pieces }: Job,
  target: T,
): { target: T; report: DecodeReport } {
  const report = new DecodeReport();
  let at = 0;
  for (const length of pieces) {
    decode(plan, bytes.subarray(at, at + length), at / STORED_BYTES[plan.dtype], target, report);
    at += length;
  }
  return { target, report };
}

const bits = (values: ArrayBufferView): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

describe("decodeVoxels", () => {
  it.skipIf(!native()?.decode)("gives the reference's bits and findings for images", () => {
    fc.assert(
      fc.property(jobs, (job) => {
        const expected = run(decodeVoxelsReference, job, new Float32Array(job.elements));
        const actual = run(decodeVoxels, job, new Float32Array(job.elements));
        // A NaN may carry other bits; its place may not differ.
        const plain = (values: Float32Array): Float32Array => values.map((value) => (Number.isNaN(value) ? Number.NaN : value));
        expect(bits(plain(actual.target)).equals(bits(plain(expected.target)))).toBe(true);
        expect([...actual.report.found]).toEqual([...expected.report.found]);
      }),
      { numRuns: 300 },
    );
  });

  it.skipIf(!native()?.decode)("gives the reference's labels and findings", () => {
    fc.assert(
      fc.property(jobs, fc.boolean(), (job, wide) => {
        const array = (): Uint8Array | Uint16Array => (wide ? new Uint16Array(job.elements) : new Uint8Array(job.elements));
        const expected = run(decodeVoxelsReference, job, array());
        const actual = run(decodeVoxels, job, array());
        expect(bits(actual.target).equals(bits(expected.target))).toBe(true);
        expect(actual.report.labels()).toEqual(expected.report.labels());
        expect([...actual.report.found]).toEqual([...expected.report.found]);
      }),
      { numRuns: 300 },
    );
  });

  it.skipIf(!native()?.decode)("gives the reference's bits in all 48 orientations, full tiles and rests", () => {
    const shape = [35, 18, 33, 1] as const;
    const count = 35 * 18 * 33;
    const bytes = new Uint8Array(Int16Array.from({ length: count }, (_, n) => (n * 7919) % 65536).buffer);
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ] as const) {
      for (let flips = 0; flips < 8; flips++) {
        const strides: [number, number, number, number] = [0, 0, 0, 1];
        let step = 1;
        let offset = 0;
        for (const axis of order) {
          strides[axis] = flips & (1 << axis) ? -step : step;
          if (flips & (1 << axis)) offset += step * (shape[axis] - 1);
          step *= shape[axis];
        }
        const plan: DecodePlan = { dtype: "int16", littleEndian: true, slope: 1, intercept: 0, shape, offset, strides };
        for (const pieces of [[bytes.length], [35 * 18 * 17 * 2, 35 * 18 * 16 * 2]]) {
          const job = { plan, bytes, elements: count, pieces };
          const expected = run(decodeVoxelsReference, job, new Float32Array(count)).target;
          expect(bits(run(decodeVoxels, job, new Float32Array(count)).target).equals(bits(expected))).toBe(true);
          const labels = run(decodeVoxelsReference, job, new Uint16Array(count)).target;
          expect(bits(run(decodeVoxels, job, new Uint16Array(count)).target).equals(bits(labels))).toBe(true);
        }
      }
    }
  });

  it("rounds once, from float64", () => {
    const plan: DecodePlan = { dtype: "int64", littleEndian: true, slope: 1, intercept: 0, shape: [3, 1, 1, 1], offset: 2, strides: [-1, 3, 3, 1] };
    const bytes = Buffer.from(BigInt64Array.of(16777217n, -(2n ** 62n), 5n).buffer);
    const target = new Float32Array(3);
    decodeVoxels(plan, bytes, 0, target, new DecodeReport());
    expect([...target]).toEqual([5, -(2 ** 62), Math.fround(16777217)]);
  });

  it("refuses a target or bytes that do not fit the plan", () => {
    const plan: DecodePlan = { dtype: "uint8", littleEndian: true, slope: 1, intercept: 0, shape: [4, 1, 1, 1], offset: 0, strides: [1, 4, 4, 1] };
    const report = new DecodeReport();
    expect(() => decodeVoxels(plan, new Uint8Array(4), 0, new Float32Array(3), report)).toThrow(
      "decodeVoxels: the target must have elements 0 to 3, got 3 elements",
    );
    expect(() => decodeVoxels(plan, new Uint8Array(4), 1, new Float32Array(4), report)).toThrow(
      "decodeVoxels: the bytes must be voxels 0 to 4 of the file, got 1 to 5",
    );
  });

  it.skipIf(!native()?.decode)("the addon itself never writes outside", () => {
    const addon = native()!;
    const plan = Float64Array.of(1, 0, 1, 0, 4, 1, 1, 1, 0, 1, 4, 4, 1);
    const call = (change: Partial<{ plan: unknown; bytes: unknown; first: number; target: unknown; found: unknown; seen: unknown }>) => () =>
      addon.decode!(
        (change.plan ?? plan) as Float64Array,
        (change.bytes ?? new Uint8Array(4)) as Uint8Array,
        change.first ?? 0,
        (change.target ?? new Float32Array(4)) as Float32Array,
        (change.found ?? new DecodeReport().found) as Float64Array,
        (change.seen ?? new Uint8Array(65536)) as Uint8Array,
      );
    const with_ = (index: number, value: number): Float64Array => plan.map((old, n) => (n === index ? value : old));
    expect(call({})).not.toThrow();
    expect(call({ target: new Float32Array(3) })).toThrow("within the target");
    expect(call({ target: new Float64Array(4) })).toThrow("Float32Array, Uint8Array or Uint16Array");
    expect(call({ target: 5 })).toThrow("typed array");
    expect(call({ first: 1 })).toThrow("within the plan");
    expect(call({ first: Number.NaN })).toThrow("within the plan");
    expect(call({ plan: with_(0, 10) })).toThrow("within the target");
    expect(call({ plan: with_(4, 1e18) })).toThrow("within the target");
    expect(call({ plan: with_(8, -1) })).toThrow("within the target");
    expect(call({ plan: with_(9, -1) })).toThrow("within the target");
    expect(call({ plan: with_(9, Number.NaN) })).toThrow("within the target");
    expect(call({ plan: new Float64Array(3) })).toThrow("at least");
    expect(call({ found: Float64Array.from({ length: 21 }, () => 99) })).toThrow("findings");
    expect(call({ seen: new Uint8Array(10) })).toThrow("at least");
    expect(call({ bytes: new Uint16Array(4) })).toThrow("1-byte elements");
  });
});
