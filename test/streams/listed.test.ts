import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import { batchOf, iterate, listed, mapAsync, type Position, run, to } from "../../src/streams/index.js";

/** A listing that tells how far it is and that it was closed. */
function listing(length: number, state: { found: number; closed: number } = { found: 0, closed: 0 }, failAt = -1) {
  return {
    state,
    async *[Symbol.asyncIterator]() {
      try {
        for (let i = 0; i < length; i++) {
          await nextTurn();
          if (i === failAt) throw new Error("the folder is gone");
          state.found = i + 1;
          yield i;
        }
      } finally {
        state.closed++;
      }
    },
  };
}

async function batches(length: number, epochs: number, from: Position = {}): Promise<string[]> {
  const seen: string[] = [];
  const order = (items: readonly number[], epoch: number) => new Random("listed", epoch).shuffle([...items]);
  const flow = listed("s", listing(length), { epochs, order, make: (i, epoch) => `${epoch}:${i}` }).pipe(batchOf({ size: 3 }));
  await run("listed", [flow.pipe(to((batch) => void seen.push(batch.join(" "))))], { from }).done;
  return seen;
}

describe("listed", () => {
  it("delivers the first batch long before the listing has ended", async () => {
    const all = listing(1000);
    for await (const batch of iterate(listed("s", all).pipe(batchOf({ size: 4 })))) {
      expect(batch).toEqual([0, 1, 2, 3]);
      expect(all.state.found).toBeLessThan(20);
      break;
    }
    expect(all.state.closed).toBe(1);
  });

  it("has the order of the listing in the first epoch, and afterwards its own, of the same items", async () => {
    const seen = await batches(8, 3);
    expect(seen.slice(0, 3)).toEqual(["0:0 0:1 0:2", "0:3 0:4 0:5", "0:6 0:7"]);
    for (const epoch of [1, 2]) {
      const items = seen.slice(3 * epoch, 3 * epoch + 3).flatMap((batch) => batch.split(" "));
      expect(items).toEqual(new Random("listed", epoch).shuffle([0, 1, 2, 3, 4, 5, 6, 7]).map((i) => `${epoch}:${i}`));
    }
  });

  it("resumes exactly at every item, in the first epoch and behind it", async () => {
    const seen = await batches(8, 3);
    const items = seen.flatMap((batch) => batch.split(" "));
    for (let at = 0; at <= items.length; at++) {
      const rest = await batches(8, 3, { s: at });
      expect(rest.flatMap((batch) => batch.split(" "))).toEqual(items.slice(at));
    }
  });

  it("of nothing ends at once, and a listing that fails is an error of the run", async () => {
    expect(await batches(0, 3)).toEqual([]);
    const got: number[] = [];
    const failing = listed("files", listing(9, undefined, 5)).pipe(mapAsync(async (x) => x, { concurrency: 3 }));
    await expect(run("listed", [failing.pipe(to((x) => void got.push(x)))]).done).rejects.toMatchObject({
      code: "ERR_STAGE",
      message: expect.stringMatching(/files: the folder is gone/),
    });
    expect(() => listed("s", [1, 2] as never)).toThrow(/listing must be an asynchronous iterable/);
  });
});
