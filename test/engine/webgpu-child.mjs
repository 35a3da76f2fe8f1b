// Trains a small network on the `webgpu` engine and on `cpu`, in a process of its own: Dawn ends a process whose thread is ended while the card works.
import { Random } from "../../dist/core/random.js";
import { startEngine } from "../../dist/engine/index.js";
import { gpuBackend } from "../../dist/engine/webgpu/gpu-backend.js";
import { runProgram } from "../../dist/engine/webgpu/run-program.js";
import { makeOptimizer } from "../../dist/training/learning/make-optimizer.js";
import { tverskyLoss, unet } from "../../dist/index.js";
import { writeSync } from "node:fs";
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

/** Says it whole, and ends: Dawn would keep the process. */
function tell(report) {
  writeSync(1, `${JSON.stringify(report)}\n`);
  process.exit(0);
}

let engine = await startEngine({ engine: "cpu", seed: 5 });
const expected = { adam: await train("adam"), sgd: await train("sgd") };
try {
  engine = await startEngine({ engine: "webgpu", seed: 5 });
} catch (error) {
  tell({ missing: error.message });
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
// A shader that does not compile: WebGPU itself would only give zeros.
let fault = "none";
try {
  const broken = runProgram(gpuBackend(), { name: "broken", code: "fn main() { this is no WGSL }", inputs: {}, shape: [4] });
  await tf.engine().makeTensorFromTensorInfo(broken).data();
} catch (error) {
  fault = `${error.code}: ${error.message}`;
}
// What comes after it is right again.
const sum = (await tf.sum(tf.ones([100_000])).data())[0];
const compared = ["adam", "sgd"].map((optimizer) => {
  const [a, b] = [actual[optimizer], expected[optimizer]];
  const furthest = (x, y) => Math.max(...x.map((value, i) => Math.abs(value - y[i])));
  return { optimizer, losses: a.losses, loss: furthest(a.losses, b.losses), output: furthest(a.output, b.output), leaked: a.leaked };
});
tell({ compared, shared, held, trimmed, fault, sum });
