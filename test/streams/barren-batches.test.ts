import { filter, take } from "rxjs";
import { describe, expect, it } from "vitest";
import { batchOf, type Position, run, source, to } from "../../src/streams/index.js";

/** Batches of 3 of items whose number differs from epoch to epoch. */
async function batches(
  counts: readonly number[],
  { epochs = counts.length, last = "drop" as "drop" | "keep", most = 100, onEnd = (_: Position): void => {}, from = {} } = {},
): Promise<string[]> {
  const seen: string[] = [];
  const longest = Math.max(...counts);
  const items = source("items", longest, (i, epoch) => ({ i, epoch }), { epochs });
  // An item beyond the epoch's number is not there.
  const sink = to<readonly { i: number; epoch: number }[]>((parts) => void seen.push(parts.map(({ i, epoch }) => `${epoch}:${i}`).join(" ")));
  const isThere = ({ i, epoch }: { i: number; epoch: number }): boolean => i < counts[epoch % counts.length]!;
  const job = run("batches", [items.pipe(filter(isThere), batchOf({ size: 3, last }), take(most), sink)], { from });
  await job.done;
  onEnd(job.position);
  return seen;
}

describe("short batches that are dropped", () => {
  it("end a graph without end that would never deliver one, with the numbers", async () => {
    await expect(batches([2], { epochs: Number.POSITIVE_INFINITY })).rejects.toMatchObject({
      code: "ERR_EMPTY",
      message: expect.stringMatching(
        /^batch: an epoch must have at least one whole batch of 3, but 3 in a row had fewer, the last one 2; make batches smaller, .* or keep the short ones/,
      ),
    });
  });

  it("may be all that the last epochs have, and some of the first", async () => {
    expect(await batches([2, 2])).toEqual([]);
    expect(await batches([2, 2, 2])).toEqual([]);
    expect(await batches([2, 2, 3, 1, 1, 1, 1, 1])).toEqual(["2:0 2:1 2:2"]);
  });

  it("are no error in a graph that is resumed in front of them", async () => {
    const counts = [3, 2, 2, 2, 2, 3];
    let from: Position = {};
    const onEnd = (position: Position): void => {
      from = position;
    };
    expect(await batches(counts, { most: 1, onEnd })).toEqual(["0:0 0:1 0:2"]);
    expect(await batches(counts, { from })).toEqual(["5:0 5:1 5:2"]);
  });

  it("are no error where they are kept", async () => {
    expect(await batches([2], { epochs: Number.POSITIVE_INFINITY, last: "keep", most: 5 })).toHaveLength(5);
  });
});
