import { constants } from "node:buffer";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { type Block, TensorMemory } from "../../src/engine/native/tensor-memory.js";
import { native } from "../../src/kernels/native.js";

function memory(limit = Number.POSITIVE_INFINITY) {
  const released: ArrayBuffer[] = [];
  let held = 0;
  const pool = new TensorMemory({
    allocateSlab: (bytes) => {
      // A slab of the default size is refused, so that tests hold little memory.
      if (bytes > 2 ** 24 || held + bytes > limit) return undefined;
      held += bytes;
      return new ArrayBuffer(bytes);
    },
    releaseSlab: (slab) => {
      held -= slab.byteLength;
      released.push(slab);
    },
  });
  return { pool, released };
}

describe("tensor memory", () => {
  it("never hands out overlapping blocks, and joins what is given back", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.boolean()), { minLength: 1, maxLength: 60 }), (steps) => {
        const { pool } = memory();
        const live: Block[] = [];
        for (const [bytes, gives] of steps) {
          if (gives && live.length > 0) pool.give(live.splice(bytes % live.length, 1)[0]!);
          else live.push(pool.take(bytes));
          for (const [i, a] of live.entries()) {
            expect(a.offset % 64).toBe(0);
            for (const b of live.slice(i + 1)) {
              if (a.slab === b.slab) expect(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset).toBe(true);
            }
          }
        }
        expect(pool.bytes.used).toBe(live.reduce((sum, { bytes }) => sum + bytes, 0));
        for (const block of live.splice(0)) pool.give(block);
        // All of it is one piece again: the whole slab can be taken at once.
        const { held } = pool.bytes;
        pool.trim();
        expect(pool.bytes).toEqual({ held: 0, used: 0 });
        expect(held).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  it("uses a block again, the smallest that fits first", () => {
    const { pool } = memory();
    const [large, , small] = [pool.take(4096), pool.take(64), pool.take(1024), pool.take(64)];
    pool.give(large);
    pool.give(small);
    expect(pool.take(900).offset).toBe(small.offset);
    expect(pool.take(2000).offset).toBe(large.offset);
  });

  it("gives empty slabs back before it asks for another", () => {
    const { pool, released } = memory();
    pool.give(pool.take(4096));
    pool.take(8192);
    expect(released.map(({ byteLength }) => byteLength)).toEqual([4096]);
  });

  it("says how much is missing when the system has no more", () => {
    const { pool } = memory(10_000);
    pool.take(8192);
    expect(() => pool.take(1 << 20)).toThrow(
      "native engine: the engine needs 1.0 MB more for a tensor, and the system has no such memory (it holds 8.0 KB)",
    );
  });
});

describe.skipIf(!native())("a tensor larger than an array can be", () => {
  it("is refused with its size, and so is a slab of the addon: no crash, and the engine goes on", async () => {
    await startEngine({ engine: "native" });
    const one = tf.ones([1, 1]);
    expect(() => tf.tile(one, [2 ** 25, 2 ** 25])).toThrow(
      /^native engine: .*(larger than an array of this version of Node can be|has no such memory)/,
    );
    let slab: ArrayBuffer | undefined;
    try {
      slab = native()!.allocateSlab(constants.MAX_LENGTH + 64);
    } catch (error) {
      expect(String(error)).toMatch(/larger than|allocateSlab/);
    }
    expect(slab).toBeUndefined();
    expect(tf.tidy(() => tf.sum(tf.ones([64, 64, 64])).dataSync()[0])).toBe(64 ** 3);
    one.dispose();
  });
});

describe.skipIf(!native())("pooled tensors", () => {
  it("keep what was read when their memory is used again", async () => {
    await startEngine({ engine: "native" });
    const size = 100_000;
    const first = tf.fill([size], 1);
    const read = first.dataSync();
    const bytes = tf.add(first, 0).bytes();
    first.dispose();
    const second = tf.fill([size], 2);
    expect(read.every((value) => value === 1)).toBe(true);
    expect(new Float32Array(((await bytes) as Uint8Array).buffer).length).toBe(size);
    second.dispose();
  });

  it("survive a stock kernel that passes a view of its input on", async () => {
    await startEngine({ engine: "native" });
    // Rank 7 is not covered by our slice.
    const x = tf.reshape(tf.range(0, 40_000), [40_000, 1, 1, 1, 1, 1]);
    const deep = tf.tidy(() => tf.reshape(x, [200, 200, 1, 1, 1, 1]));
    const backend = tf.backend() as unknown as { makeTensorInfo(shape: number[], dtype: string, values: Float32Array): tf.TensorInfo; data: any };
    const view = backend.data.get(deep.dataId).values.subarray(5, 10);
    const kept = tf.engine().makeTensorFromTensorInfo(backend.makeTensorInfo([5], "float32", view));
    tf.dispose([x, deep]);
    const other = tf.fill([40_000], -1);
    expect([...kept.dataSync()]).toEqual([5, 6, 7, 8, 9]);
    tf.dispose([kept, other]);
  });
});
