import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diceLoss, type Loss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import type { TrainingConfig } from "../../src/training/config/training-config.js";
import { monitoredFigure } from "../../src/training/monitored-figure.js";
import { train } from "../../src/training/train.js";
import { tinyData } from "./tiny-case.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-diverged-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (name: string, loss: Loss, epochs: number): TrainingConfig => ({
  name,
  data: tinyData(2),
  graph: ({ cases }) => cases.pipe(load(), patch({ size: [1, 8, 8] }), batch({ size: 2 })),
  model: unet({ filters: 2, depth: 1, normalization: "instance" }),
  loss,
  training: { epochs, optimizer: "sgd", checkpoint: { everySteps: 1 } },
  workers: 0,
  memory: "64MB",
  runs: root,
});
/** A loss that is finite while its gradient is not: the root at 0. */
const rootLoss = (at: number): Loss => {
  let step = 0;
  return function rooted(logits, target) {
    const own = diceLoss()(logits, target);
    return ++step < at ? own : tf.add(own, tf.sum(tf.sqrt(tf.mul(logits, 0))));
  };
};

describe("a network that has diverged", () => {
  it("is not saved after the last step, which no loss follows, and the checkpoint before stays", async () => {
    const run = train(config("last", rootLoss(3), 3));
    await expect(run).rejects.toMatchObject({
      code: "ERR_TRAINING",
      message: expect.stringMatching(/the weights must be finite, got NaN in \S+ after step 3/),
    });
    const { state } = JSON.parse(readFileSync(join(root, "last", "checkpoints", "latest", "state.json"), "utf8")) as { state: { step: number } };
    expect(state.step).toBe(2);
  });

  it("in its first step leaves no checkpoint at all", async () => {
    await expect(train(config("first", rootLoss(1), 1))).rejects.toMatchObject({ code: "ERR_TRAINING" });
    expect(existsSync(join(root, "first", "checkpoints", "latest"))).toBe(false);
  });
});

describe("a monitored figure", () => {
  it("that falls when it gets better has a name that ends with loss, in small letters or not", () => {
    expect([
      monitoredFigure({ val_loss: 2 }, "val_loss"),
      monitoredFigure({ diceLoss: 2 }, "diceLoss"),
      monitoredFigure({ dice: 2 }, "dice"),
    ]).toEqual([2, 2, -2]);
  });
  it("that is no number is none, so that no later epoch is worse than it", () => {
    expect(monitoredFigure({ val_dice: Number.NaN }, "val_dice")).toBeUndefined();
  });
});
