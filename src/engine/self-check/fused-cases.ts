import * as tf from "@tensorflow/tfjs-core";
import type { FusedActivation } from "../ops/fused-activation.js";
import { fusedConv3d, fusedConv3dTranspose } from "../ops/fused-conv3d.js";
import { normalize, normalizeWith } from "../ops/normalize.js";
import { seededDropout } from "../ops/seeded-dropout.js";
import { softmaxStatistics } from "../ops/softmax-statistics.js";
import { upSample3d } from "../ops/up-sample-3d.js";
import type { CheckCase } from "./check-case.js";

const ACTIVATIONS: readonly FusedActivation[] = ["linear", "relu", "leakyRelu"];

function convolutions(): CheckCase[] {
  return ACTIVATIONS.flatMap((activation) => [
    {
      op: "fusedConv3d",
      detail: `${activation}, bias`,
      inputs: [{ shape: [2, 4, 5, 6, 3] }, { shape: [3, 3, 3, 3, 17] }, { shape: [17] }],
      run: ([x, w, b]) => fusedConv3d(x as tf.Tensor5D, w as tf.Tensor5D, b as tf.Tensor1D, { activation, alpha: 0.1 }),
    },
    {
      op: "fusedConv3d",
      detail: `${activation}, stride, dilation, no bias`,
      inputs: [{ shape: [1, 6, 7, 8, 16] }, { shape: [1, 3, 3, 16, 4] }],
      run: ([x, w]) =>
        fusedConv3d(x as tf.Tensor5D, w as tf.Tensor5D, undefined, {
          activation,
          strides: activation === "relu" ? [2, 2, 2] : [1, 1, 1],
          dilations: activation === "relu" ? [1, 1, 1] : [1, 2, 2],
        }),
    },
    {
      op: "fusedConv3dTranspose",
      detail: activation,
      inputs: [{ shape: [2, 2, 3, 4, 8] }, { shape: [2, 2, 2, 5, 8] }, { shape: [5] }],
      run: ([x, w, b]) => fusedConv3dTranspose(x as tf.Tensor5D, w as tf.Tensor5D, b as tf.Tensor1D, { activation }),
    },
    {
      op: "fusedConv3d",
      detail: `${activation}, strides larger than the filter`,
      inputs: [{ shape: [2, 4, 7, 8, 3] }, { shape: [1, 2, 1, 3, 9] }, { shape: [9] }],
      run: ([x, w, b]) => fusedConv3d(x as tf.Tensor5D, w as tf.Tensor5D, b as tf.Tensor1D, { activation, strides: [2, 3, 3] }),
    },
    {
      op: "fusedConv3dTranspose",
      detail: `${activation}, strides larger than the filter`,
      inputs: [{ shape: [2, 2, 3, 4, 5] }, { shape: [1, 2, 1, 4, 5] }, { shape: [4] }],
      run: ([x, w, b]) => fusedConv3dTranspose(x as tf.Tensor5D, w as tf.Tensor5D, b as tf.Tensor1D, { activation, strides: [2, 2, 3] }),
    },
  ]);
}

function normalizations(): CheckCase[] {
  const cases: CheckCase[] = [];
  for (const channels of [1, 3, 6, 16, 34]) {
    for (const [i, over] of (["batch", "instance", "group"] as const).entries()) {
      const activation = ACTIVATIONS[(i + channels) % 3]!;
      const groups = channels === 6 ? 3 : channels === 34 ? 2 : 1;
      cases.push({
        op: `${over}Normalization`,
        detail: `${channels} channels, ${activation}`,
        inputs: [{ shape: [2, 3, 5, 7, channels] }, { shape: [channels], kind: "positive" }, { shape: [channels] }],
        run: ([x, gamma, beta]) => {
          const { y } = normalize(tf.add(x!, 2), gamma as tf.Tensor1D, beta as tf.Tensor1D, { over, groups, activation, epsilon: 1e-3 });
          return y;
        },
      });
    }
  }
  cases.push({
    op: "batchNormalization",
    detail: "given statistics",
    inputs: [{ shape: [2, 3, 4, 5, 6] }, { shape: [6] }, { shape: [6] }],
    run: ([x, gamma, beta]) => {
      const mean = tf.tensor1d([0, 1, 2, -1, 0.5, 3]);
      return normalizeWith(x!, gamma as tf.Tensor1D, beta as tf.Tensor1D, mean, tf.tensor1d([1, 2, 0.5, 3, 1, 4]), { activation: "relu" });
    },
  });
  return cases;
}

function others(): CheckCase[] {
  const cases: CheckCase[] = [];
  for (const interpolation of ["nearest", "linear"] as const) {
    for (const size of [
      [2, 2, 2],
      [1, 3, 2],
    ] as const) {
      cases.push({
        op: "upSample3d",
        detail: `${interpolation} ${size}`,
        inputs: [{ shape: [2, 3, 4, 5, 3] }],
        run: ([x]) => upSample3d(x as tf.Tensor5D, { size, interpolation }),
      });
    }
  }
  for (const rate of [0.1, 0.5]) {
    cases.push({
      op: "seededDropout",
      detail: `rate ${rate}`,
      inputs: [{ shape: [2, 3, 4, 5, 7] }],
      run: ([x]) => seededDropout(x!, { rate, key: [0xdeadbeef, 0x9e3779b9] }),
    });
  }
  for (const classes of [2, 3, 5, 20]) {
    cases.push({
      op: "softmaxStatistics",
      detail: `${classes} classes`,
      inputs: [{ shape: [2, 3, 4, 5, classes] }, { shape: [2, 3, 4, 5, 1], kind: "labels" }],
      run: ([logits, labels]) => {
        const { overlap, predicted, actual, surprise } = softmaxStatistics(tf.mul(logits!, 3), labels!);
        return tf.stack([overlap, predicted, actual, surprise]);
      },
    });
  }
  return cases;
}

/** The operations that this library adds to TensorFlow.js; on other engines they are composed of stock ones. */
export function fusedCases(): CheckCase[] {
  return [...convolutions(), ...normalizations(), ...others()];
}
