import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { batch, load, patch } from "../../src/operators/index.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-resume-nothing-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("a run that has nothing to resume says that it begins anew", async () => {
  const config: TrainingConfig = {
    name: "misspelled",
    data: tinyData(2),
    graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8] }), batch({ size: 2 })),
    model: unet({ filters: 2, depth: 1 }),
    loss: tverskyLoss(),
    training: { epochs: 1 },
    workers: 0,
    memory: "64MB",
    runs: root,
  };
  const told: string[] = [];
  const { folder } = await train(config, { resume: true, onEvent: (event) => event.type === "warning" && told.push(event.message) });
  expect(told).toEqual(["there is no checkpoint of misspelled to resume; training begins anew"]);
  expect(folder).toBe(join(root, "misspelled"));
});
