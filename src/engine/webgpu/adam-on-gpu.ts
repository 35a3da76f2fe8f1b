import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import type { AdamUpdate, MomentumUpdate } from "../optimizers/adam-update.js";
import { runProgram, sizeOf, THREAD } from "./run-program.js";

/** A tensor that an optimizer changes, and what it is changed by. */
interface Update {
  readonly name: string;
  readonly target: tf.Variable;
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly floats: Readonly<Record<string, number>>;
  /** New value of `w`, in WGSL. */
  readonly value: string;
}

/** Changes a tensor where it lies: no memory is allocated, and no value goes through the processor. */
function update(backend: WebGPUBackend, { name, target, inputs, floats, value }: Update): void {
  const reads = Object.keys(inputs).map((each) => `let ${each}_ = ${each}[i];`);
  const code = `fn main() { ${THREAD} if (i < uniforms.n) { let w = result[i]; ${reads.join(" ")} result[i] = ${value}; } }`;
  const integers = { n: sizeOf(target) };
  own(backend, target);
  runProgram(backend, { name, code, inputs, integers, floats, shape: target.shape, into: target });
  // What was read of it before is no longer true.
  const data = backend.tensorMap.get(target.dataId);
  (data as { values: unknown }).values = null;
}

/** Other tensors may share the memory of a variable; they keep what they have. */
function own(backend: WebGPUBackend, variable: tf.Variable): void {
  if (backend.refCount(variable.dataId) === 1) return;
  const code = `fn main() { ${THREAD} if (i < uniforms.n) { result[i] = x[i]; } }`;
  const copy = runProgram(backend, { name: "copy", code, inputs: { x: variable }, integers: { n: sizeOf(variable) }, shape: variable.shape });
  tf.tidy(() => variable.assign(tf.engine().makeTensorFromTensorInfo(copy)));
}

/** One step of Adam in three passes over the variable. */
export function adamOnGpu(backend: WebGPUBackend, { variable, gradient, firstMoment, secondMoment, ...floats }: AdamUpdate): void {
  const { beta1, beta2, size, root, epsilon, decay } = floats;
  const [g, m, v] = [gradient, firstMoment, secondMoment];
  update(backend, { name: "adam first", target: m, inputs: { g }, floats: { beta: beta1 }, value: "uniforms.beta * w + (1.0 - uniforms.beta) * g_" });
  update(backend, {
    name: "adam second",
    target: v,
    inputs: { g },
    floats: { beta: beta2 },
    value: "uniforms.beta * w + (1.0 - uniforms.beta) * g_ * g_",
  });
  const change = "m_ * uniforms.size / (sqrt(v_) * uniforms.root + uniforms.epsilon)";
  update(backend, {
    name: "adam",
    target: variable,
    inputs: { m, v },
    floats: { size, root, epsilon, decay },
    value: `w - (${change} + w * uniforms.decay)`,
  });
}

/** One step of gradient descent with momentum in two passes over the variable. */
export function momentumOnGpu(
  backend: WebGPUBackend,
  { variable, gradient: g, velocity: u, momentum, rate, isNesterov, decay }: MomentumUpdate,
): void {
  update(backend, { name: "velocity", target: u, inputs: { g }, floats: { momentum }, value: "uniforms.momentum * w + g_" });
  const change = isNesterov ? "(g_ + uniforms.momentum * u_)" : "u_";
  const name = isNesterov ? "nesterov" : "momentum";
  update(backend, {
    name,
    target: variable,
    inputs: { g, u },
    floats: { momentum, rate, decay },
    value: `w - (uniforms.rate * ${change} + w * uniforms.decay)`,
  });
}
