import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TaskRunner } from "../../src/core/run-context.js";
import { eachCase } from "../../src/io/each-case.js";
import { inspectCases, type LatticeHistogram, mergeHistograms, niftiCases, PHANTOM_CLASSES, verifyCases, writePhantoms } from "../../src/io/index.js";
import { latticeWidth } from "../../src/io/lattice-histogram.js";
import { createTaskPool } from "../../src/workers/index.js";
import { scratchFolder } from "./scratch-folder.js";

const { root } = scratchFolder();
const tasks = createTaskPool({ threads: 2 });
afterAll(() => tasks.destroy());
const open = (): ReturnType<typeof niftiCases> => niftiCases({ root, classes: PHANTOM_CLASSES });

beforeAll(async () => {
  await writePhantoms({ folder: root, cases: 5, shape: [8, 16, 16], seed: 2 });
  writeFileSync(join(root, "case_00002", "imaging.nii.gz"), "no volume");
});

describe("looking at cases", () => {
  it("in worker threads gives what it gives here, in the order of the cases, also where some cannot be read", async () => {
    const order: string[] = [];
    const onCase = ({ id }: { readonly id: string }, done: number, total: number): unknown => order.push(`${id} ${done}/${total}`);
    const parallel = await inspectCases(open(), { tasks, onCase });
    expect(parallel).toEqual(await inspectCases(open()));
    expect(order).toEqual([0, 1, 2, 3, 4].map((k) => `case_0000${k} ${k + 1}/5`));
    expect(parallel.failed.map(({ id }) => id)).toEqual(["case_00002"]);
    const findings = await verifyCases(open(), { tasks });
    expect(findings).toEqual(await verifyCases(open()));
    expect(findings[0]).toMatchObject({
      id: "case_00002",
      file: join(root, "case_00002", "imaging.nii.gz"),
      severity: "error",
      fix: expect.any(String),
    });
  });

  it("never holds more than its budget, but for a case that is larger alone, and uses all threads within it", async () => {
    // A case has 8 x 16 x 16 voxels of 4 bytes, and a label of 1.
    const bytes = 8 * 16 * 16 * 5;
    const most = async (budget: number): Promise<number> => {
      let running = 0;
      let peak = 0;
      const counting: TaskRunner = {
        concurrency: 3,
        run: async () => {
          peak = Math.max(peak, ++running);
          // Longer than the headers of the next cases take.
          await new Promise((resolve) => setTimeout(resolve, 150));
          running--;
          return "seen";
        },
      };
      const seen: string[] = [];
      await eachCase({
        dataset: { ...open(), list: async () => (await open().list()).filter(({ id }) => id !== "case_00002") },
        options: null,
        local: async () => "here",
        remote: { url: "", export: "" },
        tasks: counting,
        budget,
        onResult: (result, { id }) => seen.push(`${id} ${result}`),
      });
      expect(seen).toEqual([0, 1, 3, 4].map((k) => `case_0000${k} seen`));
      return peak;
    };
    expect([await most(1), await most(2 * bytes), await most(10 * bytes)]).toEqual([1, 2, 3]);
  });

  it("ends with the first failure of a worker, after the others have ended", async () => {
    let started = 0;
    let ended = 0;
    const failing: TaskRunner = {
      concurrency: 2,
      run: async () => {
        started++;
        await new Promise((resolve) => setTimeout(resolve, 5));
        ended++;
        throw new Error("the thread died");
      },
    };
    await expect(inspectCases(open(), { tasks: failing })).rejects.toThrow("the thread died");
    expect(ended).toBe(started);
    expect(started).toBeLessThan(5);
  });
});

describe("lattice histograms", () => {
  const of = (values: readonly number[], bins: number): LatticeHistogram => {
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const width = latticeWidth(min, max, bins);
    const first = Math.floor(min / width);
    const counts = new Array<number>(Math.floor(max / width) - first + 1).fill(0);
    for (const value of values) counts[Math.floor(value / width) - first]!++;
    return { width, first, counts };
  };

  it("of parts, merged in any order, are the histogram of all values", () => {
    const values = fc.array(
      fc.float({ min: -3000, max: 3000, noNaN: true }).map((value) => value + 0),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const merged = mergeHistograms(mergeHistograms(of(a, 16), of(b, 16), 16), of(c, 16), 16);
        const other = mergeHistograms(of(c, 16), mergeHistograms(of(b, 16), of(a, 16), 16), 16);
        expect(merged.counts.length).toBeLessThanOrEqual(16);
        expect(other).toEqual(merged);
        // Counted anew in the bins of the result.
        const expected = new Array<number>(merged.counts.length).fill(0);
        for (const value of [...a, ...b, ...c]) expected[Math.floor(value / merged.width) - merged.first]!++;
        expect(merged.counts).toEqual(expected);
      }),
    );
  });

  it("of one value is one bin", () => {
    expect(of([7, 7, 7], 256).counts).toEqual([3]);
    expect(of([0], 256).counts).toEqual([1]);
  });
});
