import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Adam, type Engine, Sgd, startEngine } from "../../src/engine/index.js";
import { native } from "../../src/kernels/native.js";
import * as losses from "../../src/losses/index.js";
import type { ModelSpec } from "../../src/models/index.js";
import { MODELS } from "../models/registry.js";

const NORMALIZATIONS = ["batch", "instance", "group", "none"] as const;
const CLASSES = 3;

describe.skipIf(!native())("on the native engine nothing falls back to a stock kernel", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ engine: "native", threads: 2 });
  });

  /** Names of the operations that a prediction and training steps of the network ran on stock kernels. */
  function fellBack(spec: ModelSpec, shape: number[], loss: losses.Loss, optimizers: readonly tf.Optimizer[]): string[] {
    const model = spec.build({ shape: [...shape, 1] as never, classes: CLASSES });
    // A network in 2D takes images.
    const x = tf.randomNormal([2, ...(model.inputs[0]!.shape.slice(1) as number[])], 0, 1, "float32", 1);
    const labels = tf.cast(tf.clipByValue(tf.floor(tf.add(x, 1)), 0, CLASSES - 1), "int32");
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    engine.profile();
    tf.tidy(() => {
      const logits = model.predict(x) as tf.Tensor;
      tf.argMax(tf.softmax(Array.isArray(logits) ? logits[0] : logits), -1).dataSync();
    });
    for (const optimizer of optimizers) {
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => loss(model.apply(x, { training: true }) as tf.Tensor, labels), variables);
        optimizer.applyGradients(grads);
        expect(Number.isFinite(value.dataSync()[0])).toBe(true);
      });
    }
    const rows = engine.profile();
    expect(rows.some(({ native: calls }) => calls > 0)).toBe(true);
    tf.dispose([x, labels]);
    model.dispose();
    for (const optimizer of optimizers) optimizer.dispose();
    return rows.filter(({ fallback }) => fallback > 0).map(({ name }) => name);
  }

  const networks = MODELS.flatMap((model) => [["3D", model.name, model, [16, 16, 16]] as const, ["2D", model.name, model, [1, 16, 16]] as const]);
  it.each(networks)("in %s: %s with every normalization, forward and training step", (_, __, { small }, shape) => {
    for (const normalization of NORMALIZATIONS) {
      const spec = small({ normalization, dropout: 0.2, ...(normalization === "group" && { groups: 2 }) });
      expect(
        fellBack(spec, [...shape], losses.combinedLoss({ losses: [losses.diceLoss(), losses.crossEntropyLoss()] }), [new Adam(), new Sgd()]),
      ).toEqual([]);
    }
  });

  const { diceLoss, crossEntropyLoss, combinedLoss } = losses;
  const every: Readonly<Record<string, losses.Loss>> = {
    boundaryCrossEntropyLoss: losses.boundaryCrossEntropyLoss(),
    boundaryLoss: losses.boundaryLoss(),
    combinedLoss: combinedLoss({ losses: [diceLoss({ background: false }), crossEntropyLoss()] }),
    comboLoss: losses.comboLoss(),
    crossEntropyLoss: crossEntropyLoss({ weights: [0.2, 0.3, 0.5] }),
    diceLoss: diceLoss({ over: "all" }),
    focalLoss: losses.focalLoss(),
    focalTverskyLoss: losses.focalTverskyLoss(),
    hausdorffLoss: losses.hausdorffLoss(),
    jaccardLoss: losses.jaccardLoss(),
    tverskyLoss: losses.tverskyLoss(),
    unifiedFocalLoss: losses.unifiedFocalLoss(),
  };
  it("lists every loss of the library", () => {
    const made = Object.keys(losses).filter((name) => name.endsWith("Loss") && name !== "tensorFlowLoss");
    expect(Object.keys(every)).toEqual(made.sort());
  });
  it.each(Object.entries(every))("with %s", (_, loss) => {
    expect(fellBack(MODELS[0]!.small(), [8, 8, 8], loss, [new Adam({ weightDecay: 0.01 })])).toEqual([]);
  });
});
