import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { prepareArenas, type Slab, SlabPool } from "../../src/core/slab-pool.js";

const KB = 1024;
const MB = 1024 * KB;
const pool = (budget: number, arenaBytes?: number) => new SlabPool({ budget, ...(arenaBytes === undefined ? {} : { arenaBytes }) });
const none = (): void => {};

test("a budget must be positive", () => {
  expect(() => pool(0)).toThrow("slabPool: budget must be > 0 bytes, got 0");
});

test("slabs are shared memory of the asked length, on whole pages", () => {
  const memory = pool(MB);
  const slab = memory.allocate(5000);
  expect(slab.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(slab.byteLength).toBe(5000);
  expect(slab.byteOffset % 4096).toBe(0);
  expect(memory.bytesInUse).toBe(8192);
  memory.give(slab);
  expect(memory.bytesInUse).toBe(0);
  expect(memory.peakBytes).toBe(8192);
});

test("memory that was given back is used again", () => {
  const memory = pool(64 * MB, 4 * MB);
  for (let i = 0; i < 100; i++) memory.give(memory.allocate(3 * MB));
  expect(memory.bytesReserved).toBe(4 * MB);
});

test("neighbors merge, whatever the order in which they come back", () => {
  const memory = pool(4 * MB, 4 * MB);
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [2, 0, 3, 1],
  ]) {
    const slabs = [0, 1, 2, 3].map(() => memory.allocate(MB));
    for (const index of order) memory.give(slabs[index]!);
    const whole = memory.allocate(4 * MB);
    memory.give(whole);
  }
  expect(memory.bytesReserved).toBe(4 * MB);
});

test("the smallest free piece that fits is taken", () => {
  const memory = pool(8 * MB, 8 * MB);
  const [a, , c] = [memory.allocate(3 * MB), memory.allocate(MB), memory.allocate(2 * MB), memory.allocate(2 * MB)];
  memory.give(a!);
  memory.give(c!);
  expect(memory.allocate(2 * MB).byteOffset).toBe(c!.byteOffset);
});

test("large pieces begin at the front and small ones at the back, on whole pages, so that what stays for long leaves room in one piece", () => {
  const memory = pool(8 * MB + 1000);
  const kept: Slab[] = [];
  for (let i = 0; i < 16; i++) {
    const large = memory.allocate(3 * MB);
    kept.push(memory.allocate(200 * KB));
    memory.give(large);
  }
  expect(kept.every(({ byteOffset }) => byteOffset % 4096 === 0 && byteOffset > 4 * MB)).toBe(true);
  expect(memory.ask(4 * MB, none)).toBe(true);
});

test("more than the budget is ERR_MEMORY and changes nothing", () => {
  const memory = pool(4 * MB);
  const slab = memory.allocate(3 * MB);
  expect(() => memory.allocate(2 * MB)).toThrow("slabPool: an allocation of 2.0 MB must fit the memory budget of 4.0 MB, of which 3.0 MB are in use");
  expect(() => memory.allocate(2 * MB)).toThrow(expect.objectContaining({ code: "ERR_MEMORY" }));
  expect(memory.bytesInUse).toBe(3 * MB);
  memory.give(slab);
  memory.give(memory.allocate(4 * MB));
});

test("idle small arenas make way for a large request", () => {
  const memory = pool(8 * MB, 2 * MB);
  const slabs = [0, 1, 2, 3].map(() => memory.allocate(2 * MB));
  expect(memory.bytesReserved).toBe(8 * MB);
  for (const slab of slabs) memory.give(slab);
  expect(memory.ask(7 * MB, none)).toBe(true);
  const large = memory.allocate(7 * MB);
  expect(memory.bytesReserved).toBeLessThanOrEqual(8 * MB);
  memory.give(large);
});

test("a slab of another pool is refused", () => {
  expect(() => pool(MB).give(pool(MB).allocate(KB))).toThrow(expect.objectContaining({ code: "ERR_PROTOCOL" }));
});

describe("ask", () => {
  test("says yes for what allocate would give", () => {
    const memory = pool(4 * MB);
    expect(memory.ask(4 * MB, none)).toBe(true);
    memory.allocate(3 * MB);
    expect(memory.ask(MB, none)).toBe(true);
    expect(memory.ask(2 * MB, none)).toBe(false);
  });

  test("says yes to pieces that fit one by one, as allocate then proves", () => {
    const memory = pool(8 * MB);
    const [a, , c] = [memory.allocate(3 * MB), memory.allocate(MB), memory.allocate(3 * MB), memory.allocate(MB)];
    memory.give(a!);
    memory.give(c!);
    expect(memory.ask(6 * MB, none)).toBe(false);
    expect(memory.ask([3 * MB, 2 * MB, 2 * MB], none)).toBe(false);
    expect(memory.ask([2 * MB, 3 * MB, MB], none)).toBe(true);
    for (const bytes of [2 * MB, 3 * MB, MB]) memory.allocate(bytes);
    expect(memory.bytesInUse).toBe(8 * MB);
  });

  test("keeps the spare bytes", () => {
    const memory = pool(4 * MB);
    expect(memory.ask(3 * MB, none, MB)).toBe(true);
    expect(memory.ask(3 * MB, none, 2 * MB)).toBe(false);
  });

  test("calls back once, after memory came back", () => {
    const memory = pool(4 * MB);
    const slabs = [memory.allocate(2 * MB), memory.allocate(2 * MB)];
    const retry = vi.fn();
    expect(memory.ask(MB, retry)).toBe(false);
    expect(memory.ask(MB, retry)).toBe(false);
    expect(retry).not.toHaveBeenCalled();
    memory.give(slabs[0]!);
    expect(retry).toHaveBeenCalledTimes(1);
    memory.give(slabs[1]!);
    expect(retry).toHaveBeenCalledTimes(1);
  });

  test("lets the callback ask again", () => {
    const memory = pool(4 * MB);
    const slabs = [memory.allocate(2 * MB), memory.allocate(2 * MB)];
    let calls = 0;
    const retry = (): void => {
      calls++;
      memory.ask(4 * MB, retry);
    };
    memory.ask(4 * MB, retry);
    memory.give(slabs[0]!);
    expect(calls).toBe(1);
    memory.give(slabs[1]!);
    expect(calls).toBe(2);
  });
});

test("any sequence keeps slabs apart, within the budget and with exact accounts", () => {
  const steps = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 700 * KB }), free: fc.boolean(), which: fc.nat() }), { maxLength: 120 });
  fc.assert(
    fc.property(steps, (sequence) => {
      const memory = pool(4 * MB, 512 * KB);
      const live: Slab[] = [];
      for (const { bytes, free, which } of sequence) {
        if (free && live.length > 0) memory.give(live.splice(which % live.length, 1)[0]!);
        else if (memory.ask(bytes, none)) live.push(memory.allocate(bytes));
        const pages = live.reduce((sum, slab) => sum + Math.ceil(slab.byteLength / 4096) * 4096, 0);
        if (memory.bytesInUse !== pages || memory.bytesReserved > memory.budget) return false;
        for (const a of live) {
          for (const b of live) {
            const apart =
              a === b || a.buffer !== b.buffer || a.byteOffset + a.byteLength <= b.byteOffset || b.byteOffset + b.byteLength <= a.byteOffset;
            if (!apart) return false;
          }
        }
      }
      for (const slab of live) memory.give(slab);
      return memory.bytesInUse === 0 && memory.ask(4 * MB, none);
    }),
    { numRuns: 200 },
  );
});

test("a slab is divided into pieces that come back one by one, and what is left comes back at once", () => {
  const memory = pool(MB, MB);
  const slab = memory.allocate(MB);
  const waiting = vi.fn();
  expect(memory.ask(4 * KB, waiting)).toBe(false);
  const [first, second] = memory.divide(slab, [5000, 100 * KB]) as [Slab, Slab];
  expect(waiting).toHaveBeenCalledOnce();
  expect([first.byteLength, second.byteLength]).toEqual([5000, 100 * KB]);
  expect([first.byteOffset, second.byteOffset]).toEqual([slab.byteOffset, slab.byteOffset + 8 * KB]);
  expect(memory.bytesInUse).toBe(108 * KB);
  memory.give(first);
  expect(memory.bytesInUse).toBe(100 * KB);
  expect(() => memory.divide(second, [60 * KB, 60 * KB])).toThrow(/slabPool: the pieces of a slab must fit its 100.* got 120/);
  expect(memory.divide(second, [])).toEqual([]);
  expect(memory.bytesInUse).toBe(0);
  memory.give(memory.allocate(MB));
});

test("answers for pieces as it allocates them: arenas that are idle, and room for new ones, count once", () => {
  const memory = new SlabPool({ budget: 23 * MB, arenaBytes: 10 * MB });
  const nobody = (): void => {};
  const first = memory.allocate(9 * MB);
  memory.give(memory.allocate(8 * MB));
  for (const sizes of [[6 * MB, 6 * MB], [8 * MB, 4 * MB], [12 * MB, MB], [13 * MB], [3 * MB, 3 * MB, 3 * MB, 3 * MB]]) {
    const can = memory.ask(sizes, nobody);
    const slabs: ReturnType<SlabPool["allocate"]>[] = [];
    let did = true;
    try {
      for (const size of sizes) slabs.push(memory.allocate(size));
    } catch {
      did = false;
    }
    for (const slab of slabs) memory.give(slab);
    expect([sizes.map((size) => size / MB), can]).toEqual([sizes.map((size) => size / MB), did]);
  }
  memory.give(first);
});

test("grants a case in pieces beside a small one that stays, where no single span would hold it", () => {
  const memory = new SlabPool({ budget: 2048 * MB });
  const nobody = (): void => {};
  const pieces = [500, 400, 130].map((size) => memory.allocate(size * MB));
  memory.allocate(8 * MB);
  memory.allocate(2 * MB);
  for (const piece of pieces) memory.give(piece);
  expect(memory.ask([500 * MB, 400 * MB, 130 * MB], nobody, 512 * MB)).toBe(true);
});

test("answers for one piece and for several as allocate then does, whatever is on loan, and nothing is taken by asking", () => {
  const size = fc.integer({ min: 1, max: 900 * KB });
  const steps = fc.array(fc.record({ bytes: size, which: fc.nat(), isFreed: fc.boolean() }), { maxLength: 60 });
  const asked = fc.array(size, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(steps, asked, fc.integer({ min: 100 * KB, max: 2 * MB }), (sequence, sizes, arenaBytes) => {
      const memory = pool(3 * MB, arenaBytes);
      const live: Slab[] = [];
      for (const { bytes, which, isFreed } of sequence) {
        if (isFreed && live.length > 0) memory.give(live.splice(which % live.length, 1)[0]!);
        else if (memory.ask(bytes, none)) live.push(memory.allocate(bytes));
      }
      const [before, reserved] = [memory.bytesInUse, memory.bytesReserved];
      const isGranted = memory.ask(sizes, none);
      expect([memory.bytesInUse, memory.bytesReserved]).toEqual([before, reserved]);
      const isGiven = sizes.every((bytes) => {
        try {
          memory.allocate(bytes);
          return true;
        } catch {
          return false;
        }
      });
      expect(isGranted).toBe(isGiven);
    }),
    { numRuns: 500 },
  );
});

test("each new arena is prepared once, before anything is taken of it", () => {
  const prepared: SharedArrayBuffer[] = [];
  prepareArenas((arena) => void prepared.push(arena));
  try {
    const memory = pool(8 * MB, 2 * MB);
    const first = memory.allocate(MB);
    memory.allocate(MB);
    expect(prepared).toEqual([first.buffer]);
    expect(memory.ask([3 * MB, 3 * MB], none)).toBe(true);
    expect(prepared).toHaveLength(1);
    const second = memory.allocate(3 * MB);
    expect(prepared).toEqual([first.buffer, second.buffer]);
  } finally {
    prepareArenas(() => {});
  }
});
