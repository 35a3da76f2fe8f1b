import { describe, expect, test } from "vitest";
import { Block } from "../../src/core/block.js";
import { release, retain } from "../../src/core/retain.js";
import { SlabPool } from "../../src/core/slab-pool.js";
import { Volume } from "../../src/core/volume.js";

const pool = () => new SlabPool({ budget: 1024 * 1024 });

describe("a pooled block", () => {
  test("is a typed array of its dtype and shape in shared memory", () => {
    const block = Block.allocate(pool(), "int16", [2, 3, 4]);
    expect(block.data).toBeInstanceOf(Int16Array);
    expect(block.data.length).toBe(24);
    expect(block.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(block.byteLength).toBe(48);
  });

  test("goes back to its pool when the last holder lets go", () => {
    const memory = pool();
    const block = Block.allocate(memory, "uint8", [10]);
    block.retain().retain();
    block.release();
    expect(memory.bytesInUse).toBeGreaterThan(0);
    expect(block.isReleased).toBe(false);
    block.release();
    expect(memory.bytesInUse).toBe(0);
    expect(block.isReleased).toBe(true);
  });

  test("that nobody has retained is freed by one release", () => {
    const memory = pool();
    Block.allocate(memory, "uint8", [10]).release();
    expect(memory.bytesInUse).toBe(0);
  });

  test("must not be used after its release", () => {
    const block = Block.allocate(pool(), "uint8", [10]);
    block.release();
    const released = expect.objectContaining({ code: "ERR_RELEASED" });
    expect(() => block.data).toThrow(released);
    expect(() => block.retain()).toThrow(released);
    expect(() => block.release()).toThrow(released);
    expect(block.byteLength).toBe(10);
  });

  test("may be written in place only while one holder has it", () => {
    const block = Block.allocate(pool(), "uint8", [10]);
    block.retain();
    expect(block.isExclusive).toBe(true);
    block.retain();
    expect(block.isExclusive).toBe(false);
    block.release();
    expect(block.isExclusive).toBe(true);
  });
});

test("a volume over an array of the caller's is never freed and never written in place", () => {
  const volume = Volume.of("float32", [1, 2, 2, 1], new Float32Array(4));
  volume.retain().release();
  volume.release();
  expect(volume.data.length).toBe(4);
  expect(volume.isExclusive).toBe(false);
  expect(() => Volume.of("float32", [1, 2, 2, 1], new Float32Array(5))).toThrow("volume: data must have 4 elements for shape 1x2x2x1, got 5");
});

describe("retain and release of stream values", () => {
  test("reach blocks themselves, in arrays of any depth, and in the fields of plain objects", () => {
    const memory = pool();
    const block = (): Block => Block.allocate(memory, "uint8", [1]);
    const blocks = [block(), block(), block(), block()];
    const value = [blocks[0], [{ image: blocks[1], label: blocks[2], history: [] }], { parts: "none", image: blocks[3] }];
    retain(value);
    retain(value);
    release(value);
    expect(blocks.map((each) => each.isReleased)).toEqual([false, false, false, false]);
    release(value);
    expect(blocks.map((each) => each.isReleased)).toEqual([true, true, true, true]);
  });

  test("leave everything else alone", () => {
    for (const value of [undefined, null, 1, "a", () => 1, new Map(), new Float32Array(2), { a: { retain: 1 } }]) {
      retain(value);
      release(value);
    }
  });

  test("count a block twice that stands in two fields", () => {
    const memory = pool();
    const block = Block.allocate(memory, "uint8", [1]);
    const value = { a: block, b: block };
    retain(value);
    release({ a: block });
    expect(block.isReleased).toBe(false);
    release({ a: block });
    expect(block.isReleased).toBe(true);
  });
});
