import { createHash } from "node:crypto";
import { take } from "rxjs";
import { describe, expect, it } from "vitest";
import type { HistoryEntry, Sample } from "../../../src/core/sample.js";
import { type AugmentOptions, augment, patch, replay, shuffle } from "../../../src/operators/index.js";
import { type Position, source, run as start, to } from "../../../src/streams/index.js";
import { createTaskPool } from "../../../src/workers/create-task-pool.js";
import { inlineTaskPool } from "../../../src/workers/inline-task-pool.js";
import { collect, contextOf } from "../run-graph.js";
import { look, noisy, OFF, SPATIAL } from "./augmented.js";

const TECHNIQUES: readonly (readonly [string, AugmentOptions])[] = [
  ...Object.entries(SPATIAL).map(([technique, own]) => [technique, { [technique]: own }] as const),
  ...["contrast", "brightness", "additiveBrightness", "gamma", "invertedGamma", "noise", "blur", "lowResolution"].map(
    (technique) => [technique, { [technique]: true }] as const,
  ),
  ["all of nnunet", { preset: "nnunet" }],
  ["everything", { ...SPATIAL, blur: true, lowResolution: true, additiveBrightness: true, invertedGamma: true, labelOrder: 1 }],
];

const cases = Array.from({ length: 3 }, (_, i) => noisy(`case_${i}`, [14, 18, 16, 2], [2.5, 1, 1]));
const caseOf = (id: string) => cases.find((sample) => sample.id === id)!;

const digest = ({ image, label, history, id }: ReturnType<typeof look>) =>
  createHash("sha256")
    .update(image)
    .update(label)
    .update(JSON.stringify([id, history]))
    .digest("hex");

/** Augmented patches of the cases in a given order of cases, by name. */
async function run(options: AugmentOptions, { tasks = inlineTaskPool(), order = [0, 1, 2], seed = 3 } = {}) {
  const flow = source("cases", order.length, (index) => cases[order[index]!]!).pipe(
    patch({ size: [8, 10, 8], perCase: 2 }),
    augment({ ...OFF, probability: 1, ...options }),
    shuffle({ window: 3 }),
  );
  const seen = await collect(flow, contextOf({ tasks: tasks as never, seed }), (sample: Sample) => ({
    ...look(sample),
    name: `${sample.id}#${sample.patch}`,
  }));
  return seen.sort((a, b) => (a.name < b.name ? -1 : 1));
}

describe.each(TECHNIQUES)("%s", (_, options) => {
  it("runs again from its recorded history, as JSON, to the same bytes", async () => {
    for (const part of await run(options)) {
      const history = JSON.parse(JSON.stringify(part.history)) as HistoryEntry[];
      expect(history.map(({ operator }) => operator)).toEqual(["patch", "augment"]);
      const [again] = await collect(source("one", 1, () => caseOf(part.id)).pipe(replay(history)), contextOf({ seed: 99 }), look);
      expect(again!.image).toEqual(part.image);
      expect(again!.label).toEqual(part.label);
    }
  });

  it("depends on seed, epoch, case, patch and operator, and on nothing else", async () => {
    const expected = (await run(options)).map(digest);
    expect(new Set(expected).size).toBe(6);
    expect((await run(options, { order: [2, 0, 1] })).map(digest)).toEqual(expected);
    for (const threads of [1, 3]) {
      const tasks = createTaskPool({ threads });
      try {
        expect((await run(options, { tasks })).map(digest), `${threads} workers`).toEqual(expected);
      } finally {
        await tasks.destroy();
      }
    }
    const other = (await run(options, { seed: 4 })).map(digest);
    expect(other.filter((hash) => expected.includes(hash))).toEqual([]);
  });
});

describe("cycles", () => {
  const flow = () =>
    source("cases", 3, (index) => cases[index]!).pipe(augment({ ...OFF, brightness: { probability: 1 }, noise: { probability: 1 }, cycles: 3 }));

  it("replay like any other sample, and leave their case as it was", async () => {
    const before = look(cases[0]!).image;
    const seen = await collect(flow(), contextOf(), look);
    expect(look(cases[0]!).image).toEqual(before);
    const [again] = await collect(source("one", 1, () => cases[0]!).pipe(replay(seen[2]!.history)), contextOf(), look);
    expect(again!.image).toEqual(seen[2]!.image);
  });

  it("resume behind any of them, and give all memory back", async () => {
    const all = (await collect(flow(), contextOf(), look)).map(digest);
    expect(new Set(all).size).toBe(9);
    for (const count of [1, 2, 3, 4, 8]) {
      const context = contextOf();
      const seen: string[] = [];
      const begin = flow().pipe(
        take(count),
        to((sample: Sample) => void seen.push(digest(look(sample)))),
      );
      const job = start("first", [begin], { context });
      await job.done;
      expect(seen).toEqual(all.slice(0, count));
      expect(context.pool.bytesInUse).toBe(0);
      const at = JSON.parse(JSON.stringify(job.position)) as Position;
      const rest = (await collect(flow(), contextOf(), look, at)).map(digest);
      expect([...seen, ...rest]).toEqual(all);
    }
  });
});
