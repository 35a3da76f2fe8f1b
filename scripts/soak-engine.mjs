// Trains a small 3D U-Net for many steps and fails unless tensors, pooled bytes and resident memory stay flat: node scripts/soak-engine.mjs [steps=10000]
// V8 lets its own heap grow and shrink between its collections, by some tens of MB; what the process holds beside that heap must not move at all.
import * as tf from "@tensorflow/tfjs-core";
import { Adam, softmaxStatistics, startEngine } from "../dist/engine/index.js";
import { unet } from "../dist/models/index.js";

const steps = Number(process.argv[2] ?? 10_000);
const engine = await startEngine({ engine: "native", seed: 1 });
const model = unet({ filters: 4, depth: 2 }).build({ shape: [16, 16, 16, 1], classes: 3 });
const variables = model.trainableWeights.map((weight) => weight.read());
const optimizer = new Adam({ learningRate: 1e-3 });

function step(i) {
  tf.tidy(() => {
    const x = tf.randomNormal([2, 16, 16, 16, 1], 0, 1, "float32", i + 1);
    const labels = tf.cast(tf.clipByValue(tf.floor(tf.add(x, 1)), 0, 2), "int32");
    const { value, grads } = tf.variableGrads(
      () => tf.div(tf.sum(softmaxStatistics(model.apply(x, { training: true }), labels).surprise), labels.size),
      variables,
    );
    optimizer.applyGradients(grads);
    // Reading copies out of the pool, as a trainer does.
    value.dataSync();
  });
}

const mega = (bytes) => Math.round(bytes / 2 ** 20);

function figures() {
  globalThis.gc?.();
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    tensors: tf.memory().numTensors,
    dataIds: tf.backend().numDataIds(),
    ...engine.poolBytes(),
    rssMB: mega(rss),
    besideHeapMB: mega(rss - heapTotal),
    heapMB: [mega(heapUsed), mega(heapTotal)],
    externalMB: mega(external),
    arrayBuffersMB: mega(arrayBuffers),
  };
}

const warmUp = Math.min(500, Math.ceil(steps / 10));
for (let i = 0; i < warmUp; i++) step(i);
const start = figures();
console.log(`step ${warmUp}`, JSON.stringify(start));
let highest = start;
for (let i = warmUp; i < steps; i++) {
  step(i);
  if ((i + 1) % Math.ceil(steps / 10) === 0) {
    const now = figures();
    highest = { rssMB: Math.max(highest.rssMB, now.rssMB), besideHeapMB: Math.max(highest.besideHeapMB, now.besideHeapMB) };
    console.log(`step ${i + 1}`, JSON.stringify(now));
  }
}
const end = figures();
const isFlat =
  end.tensors === start.tensors &&
  end.dataIds === start.dataIds &&
  end.held === start.held &&
  end.used === start.used &&
  highest.besideHeapMB <= start.besideHeapMB + 8 &&
  highest.rssMB <= start.rssMB + 48;
console.log(isFlat ? "flat" : "NOT FLAT");
process.exitCode = isFlat ? 0 : 1;
