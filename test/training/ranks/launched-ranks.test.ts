import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { launchedRanks } from "../../../src/training/ranks/launched-ranks.js";
import { cardsFor, sharedCards } from "../../../src/training/ranks/shared-cards.js";
import { useOwnGpu } from "../../../src/training/ranks/use-own-gpu.js";

const environment = {
  OMPI_COMM_WORLD_SIZE: "8",
  OMPI_COMM_WORLD_RANK: "6",
  OMPI_COMM_WORLD_LOCAL_SIZE: "4",
  OMPI_COMM_WORLD_LOCAL_RANK: "2",
};

describe("launchedRanks", () => {
  it("is one rank with all processors without mpirun", () => {
    expect(launchedRanks({})).toEqual({ size: 1, rank: 0, localSize: 1, localRank: 0, processors: availableParallelism() });
  });

  it("reads what mpirun says, and shares out the machine's processors", () => {
    const ranks = launchedRanks(environment);
    expect(ranks).toMatchObject({ size: 8, rank: 6, localSize: 4, localRank: 2 });
    expect(ranks.processors).toBeGreaterThanOrEqual(1);
    expect(ranks.processors).toBeLessThanOrEqual(availableParallelism());
  });
});

describe("sharedCards", () => {
  const ranks = launchedRanks(environment);
  it("says when ranks are more than cards, and nothing else", () => {
    expect(sharedCards(ranks, "tensorflow-gpu", undefined, 2)).toBe("4 ranks of this machine share 2 graphics cards");
    expect(sharedCards(ranks, "tensorflow-gpu", "0", undefined)).toBe(
      "4 ranks of this machine are given one graphics card (CUDA_VISIBLE_DEVICES): they share, unless the scheduler gives each rank cards of its own",
    );
    expect(sharedCards(ranks, "tensorflow-gpu", "0,1,2,3", 4)).toBeUndefined();
    expect(sharedCards(ranks, "tensorflow-gpu", undefined, 4)).toBeUndefined();
    expect(sharedCards(ranks, "tensorflow-gpu", undefined, undefined)).toBeUndefined();
    expect(sharedCards(ranks, "native", undefined, 1)).toBeUndefined();
    expect(sharedCards(launchedRanks({}), "tensorflow-gpu", undefined, 0)).toBeUndefined();
  });
  it("counts cards only where there are several ranks", async () => {
    const read = async () => [{ name: "a" }, { name: "b" }];
    expect(await cardsFor(ranks, read)).toBe(2);
    expect(await cardsFor(ranks, async () => undefined)).toBeUndefined();
    expect(await cardsFor(launchedRanks({}), () => expect.fail("asked"))).toBeUndefined();
  });
});

describe("useOwnGpu", () => {
  it("gives each rank of a machine the card of its local number", () => {
    const given: NodeJS.ProcessEnv = {};
    useOwnGpu(launchedRanks(environment), undefined, given);
    expect(given.CUDA_VISIBLE_DEVICES).toBe("2");
  });

  it("shares fewer cards than ranks evenly, whether they are listed or only there", () => {
    const given: NodeJS.ProcessEnv = {};
    useOwnGpu({ ...launchedRanks(environment), localRank: 3 }, 2, given);
    expect(given.CUDA_VISIBLE_DEVICES).toBe("1");
    const listed: NodeJS.ProcessEnv = { CUDA_VISIBLE_DEVICES: "6,7,8" };
    useOwnGpu({ ...launchedRanks(environment), localRank: 3 }, 8, listed);
    expect(listed.CUDA_VISIBLE_DEVICES).toBe("6");
  });

  it("leaves what the user has said, and a rank that is alone", () => {
    const given: NodeJS.ProcessEnv = { CUDA_VISIBLE_DEVICES: "5" };
    useOwnGpu(launchedRanks(environment), undefined, given);
    expect(given.CUDA_VISIBLE_DEVICES).toBe("5");
    const listed: NodeJS.ProcessEnv = { CUDA_VISIBLE_DEVICES: "4, 5,6,7" };
    useOwnGpu(launchedRanks(environment), undefined, listed);
    expect(listed.CUDA_VISIBLE_DEVICES).toBe("6");
    const alone: NodeJS.ProcessEnv = {};
    useOwnGpu(launchedRanks({}), 1, alone);
    expect(alone).toEqual({});
  });
});
