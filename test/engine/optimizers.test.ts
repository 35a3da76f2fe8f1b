import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { Adam, Sgd, startEngine } from "../../src/engine/index.js";
import { native } from "../../src/kernels/native.js";

function descend(optimizer: tf.Optimizer, steps: number, start?: Float32Array): Float32Array {
  const target = tf.linspace(-2, 3, 37);
  const variable = tf.variable(start ? tf.tensor1d(start) : tf.zeros([37]), true, `w${Math.random()}`);
  for (let i = 0; i < steps; i++) {
    optimizer.minimize(() => tf.sum(tf.square(tf.sub(variable, target))) as tf.Scalar, false, [variable]);
  }
  const values = Float32Array.from(variable.dataSync());
  tf.dispose([target, variable]);
  return values;
}

describe.each(["native", "cpu"] as const)("optimizers on %s", (engine) => {
  beforeAll(async () => {
    if (engine === "cpu" || native()) await startEngine({ engine });
  });
  const check = engine === "native" && !native() ? it.skip : it;

  /** The equations of Adam in double precision; `power` rounds what is kept of beta^t. */
  function adamSteps(target: number, steps: number, power: (x: number) => number): number {
    let [w, m, v] = [0, 0, 0];
    let [power1, power2] = [power(0.9), power(0.999)];
    for (let t = 1; t <= steps; t++) {
      const g = 2 * (w - target);
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      w -= (0.05 * (m / power(1 - power1))) / (Math.sqrt(v / power(1 - power2)) + 1e-7);
      power1 = power(power1 * power(0.9));
      power2 = power(power2 * power(0.999));
    }
    return w;
  }
  const targets = Array.from({ length: 37 }, (_, i) => Math.fround(-2 + (5 * i) / 36));
  const farthest = (values: Float32Array, from: readonly number[]) =>
    Math.max(...from.map((w, i) => Math.abs(values[i]! - w) / Math.max(1, Math.abs(w))));

  check("Adam follows its equations in double precision within 2e-6", () => {
    const exact = targets.map((target) => adamSteps(target, 25, (x) => x));
    expect(farthest(descend(new Adam({ learningRate: 0.05 }), 25), exact)).toBeLessThan(2e-6);
  });

  check("Adam takes the steps of tf.train.adam; all that differs is that the stock one rounds powers of beta to float32", () => {
    const stock = descend(tf.train.adam(0.05), 25);
    const ours = descend(new Adam({ learningRate: 0.05 }), 25);
    const exact = targets.map((target) => adamSteps(target, 25, (x) => x));
    const rounded = targets.map((target) => adamSteps(target, 25, Math.fround));
    // 1 - 0.999 is off by 1.3e-5 in float32, and every step divides by its root.
    expect(farthest(stock, rounded)).toBeLessThan(2e-6);
    expect(farthest(stock, exact)).toBeGreaterThan(3 * farthest(ours, exact));
    expect(farthest(ours, [...stock])).toBeLessThan(5e-5);
  });

  check.each([true, false])("Sgd takes the steps of tf.train.momentum, Nesterov %s", (nesterov) => {
    const expected = descend(tf.train.momentum(0.01, 0.9, nesterov), 25);
    const actual = descend(new Sgd({ learningRate: 0.01, momentum: 0.9, nesterov }), 25);
    for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  });

  check("weight decay shrinks weights apart from the gradient", () => {
    const optimizer = new Adam({ learningRate: 0.1, weightDecay: 0.5 });
    const variable = tf.variable(tf.tensor1d([2, -4]), true, `decay${engine}`);
    optimizer.applyGradients({ [variable.name]: tf.tensor1d([0, 0]) });
    expect([...variable.dataSync()].map((x) => x.toFixed(5))).toEqual(["1.90000", "-3.80000"]);
    variable.dispose();
  });

  check("state saved and restored continues bit for bit", async () => {
    const target = tf.linspace(-2, 3, 5);
    const run = (optimizer: tf.Optimizer, variable: tf.Variable, steps: number) => {
      for (let i = 0; i < steps; i++) optimizer.minimize(() => tf.sum(tf.square(tf.sub(variable, target))) as tf.Scalar, false, [variable]);
    };
    const variable = tf.variable(tf.zeros([5]), true, `resumed${engine}`);
    const first = new Adam({ learningRate: 0.1 });
    run(first, variable, 5);
    const saved = (await first.getWeights()).map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) }));
    const start = tf.clone(variable);
    // The saved tensors must not change with the steps that follow.
    run(first, variable, 5);
    const expected = [...variable.dataSync()];
    variable.assign(start);
    const second = new Adam({ learningRate: 0.1 });
    await second.setWeights(saved);
    run(second, variable, 5);
    expect([...variable.dataSync()]).toEqual(expected);
    tf.dispose([variable, target, start]);
  });
});
