import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { batch, cases, load } from "../../../src/operators/index.js";
import { iterate } from "../../../src/streams/index.js";
import { collect, contextOf, refsOf, syntheticData } from "../run-graph.js";

const data = syntheticData(6);

function listing(count: number, names = refsOf(count)) {
  const state = { listed: 0 };
  return {
    state,
    async *[Symbol.asyncIterator]() {
      for (const ref of names) {
        await nextTurn();
        state.listed++;
        yield ref;
      }
    },
  };
}

const ids = (refs: Parameters<typeof cases>[1]["refs"], options: { ids?: string[]; epochs?: number; mode?: "training" | "validation" } = {}) =>
  collect(
    cases(data, { refs, epochs: options.epochs ?? 1, ...(options.ids && { ids: options.ids }) }),
    contextOf({ mode: options.mode ?? "training" }),
    ({ id, epoch }) => `${epoch} ${id}`,
  );

describe("cases that are still being found", () => {
  it("give their first batch before the listing has ended", async () => {
    const refs = listing(200);
    for await (const { parts } of iterate(cases(data, { refs }).pipe(load(), batch({ size: 2 })), { context: contextOf() })) {
      expect(parts.map(({ id }) => id)).toEqual(["case_00", "case_01"]);
      expect(refs.state.listed).toBeLessThan(20);
      break;
    }
  });

  it("come as listed in the first epoch, and after it as those of a finished list", async () => {
    const eager = await ids(refsOf(6), { epochs: 3 });
    const lazy = await ids(listing(6), { epochs: 3 });
    expect(lazy.slice(0, 6)).toEqual(refsOf(6).map(({ id }) => `0 ${id}`));
    expect(lazy.slice(6)).toEqual(eager.slice(6));
    expect(await ids(listing(6), { mode: "validation" })).toEqual(await ids(refsOf(6), { mode: "validation" }));
  });

  it("are chosen by id; ids that never come, come twice, and nothing at all are errors", async () => {
    expect(await ids(listing(6), { ids: ["case_04", "case_01"] })).toEqual(["0 case_01", "0 case_04"]);
    await expect(ids(listing(3), { ids: ["case_01", "case_99"] })).rejects.toMatchObject({
      code: "ERR_DATA",
      message: expect.stringMatching(/got case_99/),
    });
    await expect(ids(listing(2, [...refsOf(2), ...refsOf(1)]))).rejects.toMatchObject({
      code: "ERR_DATA",
      message: expect.stringMatching(/got case_00 twice/),
    });
    await expect(ids(listing(0))).rejects.toMatchObject({ code: "ERR_EMPTY" });
  });
});
