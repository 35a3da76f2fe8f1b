import * as tf from "@tensorflow/tfjs-core";
import { hasKernel, runKernel } from "./run-kernel.js";

export interface SeededDropoutOptions {
  /** Share of the values that become 0; in [0, 1). */
  readonly rate: number;
  /** Two unsigned 32-bit integers; equal ones drop the same places. */
  readonly key: readonly [number, number];
}

/** Uniform in [0, 2³²) for place i: two rounds of the finalizer of MurmurHash3, each keyed. The same integers as native/simd/tensor/dropout.cc. */
export function dropoutHash(i: number, [seed, salt]: readonly [number, number]): number {
  return finalize((finalize(i ^ seed) + salt) | 0);
}

function finalize(value: number): number {
  let h = value | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * x / (1 - rate) where the key's hash of the place is at least rate, else 0. The mask is drawn again for the gradient, so it takes no memory.
 *
 * @source Srivastava et al. 2014
 */
export function seededDropout(x: tf.Tensor, { rate, key }: SeededDropoutOptions): tf.Tensor {
  if (hasKernel("SeededDropout")) return runKernel("SeededDropout", { x }, { rate, key });
  return tf.tidy(() => {
    const limit = dropoutLimit(rate);
    const scale = Math.fround(1 / (1 - rate));
    const mask = new Float32Array(x.size);
    for (let i = 0; i < mask.length; i++) mask[i] = dropoutHash(i, key) >= limit ? scale : 0;
    return tf.mul(x, tf.tensor(mask, x.shape));
  });
}

/** Hashes below it are dropped. */
export function dropoutLimit(rate: number): number {
  return Math.min(2 ** 32 - 1, Math.round(rate * 2 ** 32));
}
