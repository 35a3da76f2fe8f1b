import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/run-events.js";
import { softDice, tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import { train } from "../../src/training/train.js";
import type { TrainingConfig } from "../../src/training/training-config.js";
import { tinyData } from "./tiny-case.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-training-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (extra: Partial<TrainingConfig> = {}): TrainingConfig => ({
  data: tinyData(4),
  split: { validation: 0.25 },
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8], perCase: 2 }), batch({ size: 2 })),
  model: unet({ filters: 2, depth: 1 }),
  loss: tverskyLoss(),
  metrics: [softDice()],
  training: { epochs: 2, learningRate: 1e-2 },
  workers: 0,
  memory: "64MB",
  runs: root,
  ...extra,
});

describe("train", () => {
  it("writes a run folder", async () => {
    const events: RunEvent[] = [];
    const result = await train(config({ name: "plain" }), { onEvent: (event) => events.push(event) });
    console.log(result, events.map((e) => JSON.stringify(e).slice(0, 300)).join("\n"));
    console.log(readFileSync(join(result.folder, "history.tsv"), "utf8"));
    expect(result.status).toBe("completed");
  });
});
