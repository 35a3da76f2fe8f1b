import * as tf from "@tensorflow/tfjs-core";
import { VoxError } from "../core/errors.js";

export interface OptimizerOptions {
  readonly name: "adam" | "sgd";
  /** Adam: decay of the first moment; 0.9. */
  readonly beta1?: number;
  /** Adam: decay of the second moment; 0.999. */
  readonly beta2?: number;
  /** Adam: 1e-7, as Keras. */
  readonly epsilon?: number;
  /** SGD: 0. */
  readonly momentum?: number;
  /** SGD: whether the gradient is taken one momentum step ahead. */
  readonly nesterov?: boolean;
  /** Share of each weight that decays per step and unit of learning rate, apart from the gradient (decoupled); 0. */
  readonly weightDecay?: number;
}

/** The moments of an optimizer, as float32 arrays by `<variable>/<slot>`, and the number of steps. */
export interface OptimizerState {
  readonly steps: number;
  readonly slots: ReadonlyMap<string, Float32Array>;
}

/** An optimizer whose whole state can be saved and restored bit for bit. */
export interface TrainingOptimizer {
  readonly name: string;
  readonly options: Readonly<Record<string, number | boolean>>;
  /** Changes the variables by one step. */
  apply(gradients: ReadonlyMap<tf.Variable, tf.Tensor>, learningRate: number): void;
  state(): Promise<OptimizerState>;
  restore(state: OptimizerState): void;
  dispose(): void;
}

/**
 * Adam or SGD on the given variables; `names` are theirs in checkpoints.
 *
 * @source Kingma & Ba 2015, algorithm 1 with the bias correction in the step size, ε as in Keras; SGD with momentum as in Sutskever et al. 2013;
 * decoupled weight decay: Loshchilov & Hutter 2019
 */
export function makeOptimizer(
  options: OptimizerOptions,
  variables: readonly { readonly name: string; readonly variable: tf.Variable }[],
): TrainingOptimizer {
  const { name, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  const slotNames = name === "adam" ? ["m", "v"] : momentum > 0 ? ["momentum"] : [];
  const slots = new Map(
    variables.map(({ variable }) => [variable, slotNames.map(() => tf.tidy(() => tf.variable(tf.zeros(variable.shape), false)))] as const),
  );
  let steps = 0;

  const update = (variable: tf.Variable, gradient: tf.Tensor, rate: number): void => {
    const moments = slots.get(variable)!;
    let change: tf.Tensor;
    if (name === "adam") {
      const [m, v] = moments as [tf.Variable, tf.Variable];
      m.assign(tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1)));
      v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
      const size = (rate * Math.sqrt(1 - beta2 ** steps)) / (1 - beta1 ** steps);
      change = tf.mul(tf.div(m, tf.add(tf.sqrt(v), epsilon)), size);
    } else if (momentum > 0) {
      const [velocity] = moments as [tf.Variable];
      velocity.assign(tf.add(tf.mul(velocity, momentum), gradient));
      change = tf.mul(nesterov ? tf.add(gradient, tf.mul(velocity, momentum)) : velocity, rate);
    } else {
      change = tf.mul(gradient, rate);
    }
    if (weightDecay > 0) change = tf.add(change, tf.mul(variable, rate * weightDecay));
    variable.assign(tf.sub(variable, change));
  };

  return {
    name,
    options: name === "adam" ? { beta1, beta2, epsilon, weightDecay } : { momentum, nesterov, weightDecay },
    apply(gradients, learningRate) {
      steps++;
      tf.tidy(() => {
        for (const { variable } of variables) {
          const gradient = gradients.get(variable);
          if (gradient) tf.tidy(() => update(variable, gradient, learningRate));
        }
      });
    },
    async state() {
      const saved = new Map<string, Float32Array>();
      for (const { name: owner, variable } of variables) {
        for (const [k, slot] of slots.get(variable)!.entries()) saved.set(`${owner}/${slotNames[k]}`, (await slot.data<"float32">()).slice());
      }
      return { steps, slots: saved };
    },
    restore(state) {
      for (const { name: owner, variable } of variables) {
        for (const [k, slot] of slots.get(variable)!.entries()) {
          const values = state.slots.get(`${owner}/${slotNames[k]}`);
          if (values?.length !== slot.size) {
            throw new VoxError(`the checkpoint must hold ${slot.size} values of ${slotNames[k]} for ${owner}, got ${values?.length ?? "none"}`, {
              code: "ERR_CHECKPOINT",
              where: "optimizer",
            });
          }
          tf.tidy(() => slot.assign(tf.tensor(values, slot.shape, "float32")));
        }
      }
      ({ steps } = state);
    },
    dispose() {
      for (const moments of slots.values()) for (const slot of moments) slot.dispose();
    },
  };
}
