import { expect, it } from "vitest";
import { defaultWorkers } from "../../src/training/hosting/default-workers.js";

it("worker threads are one fewer than processors, as far as a quarter of the memory holds them, and at least one", () => {
  const MB = 1024 ** 2;
  expect([defaultWorkers(8192 * MB, 16), defaultWorkers(1024 * MB, 64), defaultWorkers(64 * MB, 16), defaultWorkers(8192 * MB, 1)]).toEqual([
    15, 12, 1, 1,
  ]);
});
