import * as tf from "@tensorflow/tfjs-core";
import { VoxError } from "../../core/errors.js";
import { adamUpdate, momentumUpdate } from "../../engine/index.js";

export interface OptimizerOptions {
  /** `"adamw"` is Adam with a weight decay of 0.01 unless told otherwise. */
  readonly name: "adam" | "adamw" | "sgd";
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
  /** Share of each weight that decays per step and unit of learning rate, apart from the gradient (decoupled); 0, for AdamW 0.01. */
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
 * Adam, AdamW or SGD on the given variables; `names` are theirs in checkpoints.
 *
 * @source Kingma & Ba 2015, algorithm 1; SGD with momentum as in Sutskever et al. 2013; decoupled weight decay: Loshchilov & Hutter 2019
 */
export function makeOptimizer(
  options: OptimizerOptions,
  variables: readonly { readonly name: string; readonly variable: tf.Variable }[],
): TrainingOptimizer {
  const { name, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, momentum = 0, nesterov = false } = options;
  const isAdam = name === "adam" || name === "adamw";
  const { weightDecay = name === "adamw" ? 0.01 : 0 } = options;
  const slotNames = isAdam ? ["m", "v"] : momentum > 0 ? ["momentum"] : [];
  const slots = new Map(
    variables.map(({ variable }) => [variable, slotNames.map(() => tf.tidy(() => tf.variable(tf.zeros(variable.shape), false)))] as const),
  );
  let steps = 0;

  const update = (variable: tf.Variable, gradient: tf.Tensor, rate: number): void => {
    const moments = slots.get(variable)!;
    const decay = rate * weightDecay;
    if (isAdam) {
      const [firstMoment, secondMoment] = moments as [tf.Variable, tf.Variable];
      const size = rate / (1 - beta1 ** steps);
      const root = 1 / Math.sqrt(1 - beta2 ** steps);
      adamUpdate({ variable, gradient, firstMoment, secondMoment, beta1, beta2, size, root, epsilon, decay });
    } else if (momentum > 0) {
      momentumUpdate({ variable, gradient, velocity: moments[0]!, momentum, rate, isNesterov: nesterov, decay });
    } else {
      variable.assign(tf.sub(variable, tf.add(tf.mul(gradient, rate), tf.mul(variable, decay))));
    }
  };

  return {
    name,
    options: isAdam ? { beta1, beta2, epsilon, weightDecay } : { momentum, nesterov, weightDecay },
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
