// Trains a small network on the `webgpu` engine and on `cpu`, in a process of its own: Dawn ends a process whose thread is ended while the card works.
import { Random } from "../../dist/core/random.js";
import { startEngine } from "../../dist/engine/index.js";
import { makeOptimizer } from "../../dist/training/learning/make-optimizer.js";
import { tverskyLoss, unet } from "../../dist/index.js";
import * as tf from "@tensorflow/tfjs-core";

const SHAPE = [8, 8, 8];
const CLASSES = 3;

/** Losses of a few steps, and what the network then says. */
async function train(optimizerName) {
  const model = unet({ filters: 4, depth: 2, normalization: "instance", dropout: 0.2 }).build({ shape: [...SHAPE, 1], classes: CLASSES, seed: 3 });
  const variables = model.trainableWeights.map((weight) => ({ name: weight.originalName, variable: weight.read() }));
  const optimizer = makeOptimizer({ name: optimizerName }, variables);
  const random = new Random("webgpu", 1);
  const values = Float32Array.from({ length: 2 * 512 }, () => random.normal());
  const image = tf.tensor(values, [2, ...SHAPE, 1]);
  const target = tf.tensor(Int32Array.from(values, (value) => (value > 1 ? 2 : value > 0 ? 1 : 0)), [2, ...SHAPE, 1], "int32");
  const loss = tverskyLoss();
  const losses = [];
  let tensors = 0;
  for (let step = 1; step <= 5; step++) {
    engine.step = step;
    const { value, grads } = tf.variableGrads(() => loss(model.apply(image, { training: true }), target), variables.map(({ variable }) => variable));
    losses.push((await value.data())[0]);
    optimizer.apply(new Map(variables.map(({ variable }) => [variable, grads[variable.name]])), 0.01);
    tf.dispose([value, grads]);
    if (step === 2) tensors = tf.memory().numTensors;
  }
  const leaked = tf.memory().numTensors - tensors;
  const output = tf.tidy(() => model.apply(image, { training: false }));
  return { losses, leaked, output: [...(await output.data())] };
}

let engine = await startEngine({ engine: "cpu", seed: 5 });
const expected = { adam: await train("adam"), sgd: await train("sgd") };
try {
  engine = await startEngine({ engine: "webgpu", seed: 5 });
} catch (error) {
  console.log(JSON.stringify({ missing: error.message }));
  process.exit(0);
}
const actual = { adam: await train("adam"), sgd: await train("sgd") };
// A clone shares its memory; an update in place must leave it alone.
const variable = tf.variable(tf.tensor1d([1, 2, 3]));
const before = tf.clone(variable);
makeOptimizer({ name: "adam" }, [{ name: "w", variable }]).apply(new Map([[variable, tf.tensor1d([1, 1, 1])]]), 0.5);
const shared = { before: [...(await before.data())], after: [...(await variable.data())] };
const { held } = engine.poolBytes();
engine.trim();
const trimmed = engine.poolBytes().held;
// More than a card can bind at once: WebGPU itself would only give zeros.
let fault = "none";
try {
  const huge = tf.zeros([1100, 1024, 1024]);
  await tf.sum(huge).data();
} catch (error) {
  fault = `${error.code}: ${error.message}`;
}
console.log(JSON.stringify({ expected, actual, shared, held, trimmed, fault }));
process.exit(0);
