import * as tf from "@tensorflow/tfjs-core";
import { Random } from "../../core/random.js";
import type { CheckCase } from "./check-case.js";

export interface CaseResult {
  readonly value: Float32Array;
  readonly gradients: readonly Float32Array[];
}

/** Runs a case on the engine that is set now. Equal cases get equal inputs on every engine. */
export async function evaluateCase(one: CheckCase): Promise<CaseResult> {
  const results = tf.tidy(() => compute(one));
  try {
    const [value, ...gradients] = await Promise.all(results.map(floats));
    return { value: value!, gradients };
  } finally {
    tf.dispose(results);
  }
}

/** The value, then the gradients of all float inputs. */
function compute(one: CheckCase): tf.Tensor[] {
  const random = new Random(1, 0, `${one.op} ${one.detail}`, 0, "selfCheck");
  const inputs = one.inputs.map(({ shape, kind = "normal" }) => {
    const size = tf.util.sizeFromShape(shape as number[]);
    const values = Float32Array.from({ length: size }, () => draw(random, kind));
    return tf.tensor(values, shape as number[], kind === "labels" ? "int32" : "float32");
  });
  const value = one.run(inputs);
  if (one.isForwardOnly) return [value];
  // A random projection of the result makes one gradient show all of it.
  const weights = tf.tensor(
    Float32Array.from({ length: value.size }, () => random.normal()),
    value.shape,
  );
  const floatInputs = inputs.filter((input) => input.dtype === "float32");
  const gradients = tf.grads((...xs) => {
    let next = 0;
    const all = inputs.map((input) => (input.dtype === "float32" ? xs[next++]! : input));
    return tf.sum(tf.mul(one.run(all), weights));
  })(floatInputs);
  return [value, ...gradients];
}

async function floats(tensor: tf.Tensor): Promise<Float32Array> {
  return Float32Array.from(await tensor.data());
}

function draw(random: Random, kind: "normal" | "positive" | "labels"): number {
  if (kind === "labels") return random.integer(0, 4);
  const x = random.normal();
  return kind === "positive" ? Math.abs(x) + 0.1 : x;
}

/** Largest difference relative to the largest value of the reference; Infinity when one is not finite where the other is. */
export function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let scale = 1e-3;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(expected[i]!) || !Number.isFinite(actual[i]!)) {
      if (!Object.is(expected[i], actual[i])) return Number.POSITIVE_INFINITY;
      continue;
    }
    scale = Math.max(scale, Math.abs(expected[i]!));
    difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
  }
  return difference / scale;
}
