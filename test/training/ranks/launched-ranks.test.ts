import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { launchedRanks } from "../../../src/training/ranks/launched-ranks.js";
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

describe("useOwnGpu", () => {
  it("gives each rank of a machine the card of its local number", () => {
    const given: NodeJS.ProcessEnv = {};
    useOwnGpu(launchedRanks(environment), given);
    expect(given.CUDA_VISIBLE_DEVICES).toBe("2");
  });

  it("leaves what the user has said, and a rank that is alone", () => {
    const given: NodeJS.ProcessEnv = { CUDA_VISIBLE_DEVICES: "5" };
    useOwnGpu(launchedRanks(environment), given);
    expect(given.CUDA_VISIBLE_DEVICES).toBe("5");
    const listed: NodeJS.ProcessEnv = { CUDA_VISIBLE_DEVICES: "4, 5,6,7" };
    useOwnGpu(launchedRanks(environment), listed);
    expect(listed.CUDA_VISIBLE_DEVICES).toBe("6");
    const alone: NodeJS.ProcessEnv = {};
    useOwnGpu(launchedRanks({}), alone);
    expect(alone).toEqual({});
  });
});
