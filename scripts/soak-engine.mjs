// Trains a small 3D U-Net for many steps and fails unless tensors, pooled bytes and resident memory stay flat: node scripts/soak-engine.mjs [steps=10000]
// V8 lets its own heap grow and shrink between its collections, by some tens of MB, and its helper threads give pages back late where cores are busy: each figure
// is the least of some collections, and what counts is whether memory comes back to where it was, not how high it was on the way.
import { setTimeout } from "node:timers/promises";
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

async function settled() {
  let least = process.memoryUsage();
  for (let i = 0; i < 10; i++) {
    globalThis.gc?.();
    await setTimeout(50);
    const now = process.memoryUsage();
    if (now.rss - now.heapTotal < least.rss - least.heapTotal) least = now;
  }
  return least;
}

async function figures() {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = await settled();
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
const start = await figures();
console.log(`step ${warmUp}`, JSON.stringify(start));
const later = [];
for (let i = warmUp; i < steps; i++) {
  step(i);
  if ((i + 1) % Math.ceil(steps / 10) === 0) {
    later.push(await figures());
    console.log(`step ${i + 1}`, JSON.stringify(later.at(-1)));
  }
}
// The last third: a leak would lift all of it.
const last = later.slice(-Math.ceil(later.length / 3));
const least = (name) => Math.min(...last.map((now) => now[name]));
const end = later.at(-1) ?? start;
const isFlat =
  end.tensors === start.tensors &&
  end.dataIds === start.dataIds &&
  end.held === start.held &&
  end.used === start.used &&
  least("besideHeapMB") <= start.besideHeapMB + 8 &&
  least("rssMB") <= start.rssMB + 16;
console.log(isFlat ? "flat" : "NOT FLAT");
process.exitCode = isFlat ? 0 : 1;
