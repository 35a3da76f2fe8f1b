import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { RunEvent } from "../../src/core/run-events.js";
import { diceLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { load } from "../../src/operators/load/load.js";
import { batch } from "../../src/operators/stream/batch.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

vi.mock("../../src/kernels/native.js", () => ({ native: () => undefined, nativeMissingReason: () => "the addon was not built" }));

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-warning-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const warningsOf = async (name: string, engine: "auto" | "cpu" | undefined): Promise<readonly string[]> => {
  const events: RunEvent[] = [];
  await train(
    {
      name,
      data: tinyData(1, { size: 8 }),
      graph: ({ cases }) => cases.pipe(load(), batch({ size: 1 })),
      model: unet({ filters: 1, depth: 1 }),
      loss: diceLoss(),
      training: { epochs: 1 },
      workers: 0,
      memory: "64MB",
      runs: root,
      ...(engine !== undefined && { engine }),
    },
    { onEvent: (event) => events.push(event) },
  );
  return events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
};

it("a run whose engine falls back to cpu says so and why; one that asked for cpu does not", async () => {
  const sentence = "engine auto runs on cpu, many times slower than native: the addon was not built";
  expect(await warningsOf("unset", undefined)).toEqual([sentence]);
  expect(await warningsOf("auto", "auto")).toEqual([sentence]);
  expect(await warningsOf("cpu", "cpu")).toEqual([]);
});
