import * as tf from "@tensorflow/tfjs-core";
import { NativeBackend } from "../native/native-backend.js";
import { adamOnGpu, momentumOnGpu } from "../webgpu/adam-on-gpu.js";
import { gpuBackend } from "../webgpu/gpu-backend.js";

export interface AdamUpdate {
  readonly variable: tf.Variable;
  readonly gradient: tf.Tensor;
  readonly firstMoment: tf.Variable;
  readonly secondMoment: tf.Variable;
  readonly beta1: number;
  readonly beta2: number;
  /** Factor of the first moment, bias correction included. */
  readonly size: number;
  /** Factor of the root of the second moment, bias correction included. */
  readonly root: number;
  readonly epsilon: number;
  /** Share of the weight that decays in this step, apart from the gradient. */
  readonly decay: number;
}

export interface MomentumUpdate {
  readonly variable: tf.Variable;
  readonly gradient: tf.Tensor;
  readonly velocity: tf.Variable;
  readonly momentum: number;
  readonly rate: number;
  readonly isNesterov: boolean;
  readonly decay: number;
}

/** Values that may be changed in place: no other tensor shares them. */
function own(backend: NativeBackend, variable: tf.Variable): Float32Array {
  if (backend.refCount(variable.dataId) > 1) {
    tf.tidy(() => {
      const copy = backend.outputFloats(variable.shape);
      copy.values.set(backend.floats(variable));
      variable.assign(tf.engine().makeTensorFromTensorInfo(copy.info));
    });
  }
  return backend.floats(variable);
}

/**
 * m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², w ← w - size m / (root √v + ε) - decay w; in place on the native engine and on the card.
 *
 * @source Kingma and Ba 2015, algorithm 1; decoupled decay: Loshchilov and Hutter 2019
 */
export function adamUpdate(update: AdamUpdate): void {
  const gpu = gpuBackend();
  if (gpu) {
    adamOnGpu(gpu, update);
    return;
  }
  const { variable, gradient, firstMoment, secondMoment, beta1, beta2, size, root, epsilon, decay } = update;
  const backend = tf.backend();
  if (backend instanceof NativeBackend && gradient.dtype === "float32") {
    const [w, m, v] = [own(backend, variable), own(backend, firstMoment), own(backend, secondMoment)];
    backend.addon.adam(w, backend.floats(gradient), m, v, beta1, beta2, size, root, epsilon, decay);
    return;
  }
  tf.tidy(() => {
    firstMoment.assign(tf.add(tf.mul(firstMoment, beta1), tf.mul(gradient, 1 - beta1)));
    secondMoment.assign(tf.add(tf.mul(secondMoment, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
    const change = tf.div(tf.mul(firstMoment, size), tf.add(tf.mul(tf.sqrt(secondMoment), root), epsilon));
    variable.assign(tf.sub(variable, decay === 0 ? change : tf.add(change, tf.mul(variable, decay))));
  });
}

/**
 * u ← μ u + g, w ← w - rate u - decay w, or with Nesterov's look-ahead w ← w - rate (g + μ u) - decay w.
 *
 * @source Sutskever et al. 2013
 */
export function momentumUpdate(update: MomentumUpdate): void {
  const gpu = gpuBackend();
  if (gpu) {
    momentumOnGpu(gpu, update);
    return;
  }
  const { variable, gradient, velocity, momentum, rate, isNesterov, decay } = update;
  const backend = tf.backend();
  if (backend instanceof NativeBackend && gradient.dtype === "float32") {
    const [w, u] = [own(backend, variable), own(backend, velocity)];
    backend.addon.momentum(w, backend.floats(gradient), u, momentum, rate, isNesterov ? 1 : 0, decay);
    return;
  }
  tf.tidy(() => {
    velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
    const change = tf.mul(isNesterov ? tf.add(gradient, tf.mul(velocity, momentum)) : velocity, rate);
    variable.assign(tf.sub(variable, decay === 0 ? change : tf.add(change, tf.mul(variable, decay))));
  });
}
