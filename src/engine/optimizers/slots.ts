import * as tf from "@tensorflow/tfjs-core";

/** As TensorFlow.js passes optimizer state. */
export interface NamedTensor {
  readonly name: string;
  readonly tensor: tf.Tensor;
}

/** The state of an optimizer: tensors per variable, made with the variable's shape when first used, named `<variable>/<slot>`. */
export class Slots {
  private readonly tensors = new Map<string, tf.Variable>();

  of(variable: tf.Variable, slot: string): tf.Variable {
    const name = `${variable.name}/${slot}`;
    let tensor = this.tensors.get(name);
    if (!tensor) {
      tensor = tf.tidy(() => tf.variable(tf.zeros(variable.shape), false));
      this.tensors.set(name, tensor);
    }
    return tensor;
  }

  /** The tensors themselves, not copies. */
  named(): NamedTensor[] {
    return [...this.tensors].map(([name, tensor]) => ({ name, tensor }));
  }

  restore(values: readonly NamedTensor[]): void {
    for (const { name, tensor } of values) {
      const old = this.tensors.get(name);
      if (old) old.assign(tensor);
      else
        this.tensors.set(
          name,
          tf.tidy(() => tf.variable(tf.clone(tensor), false)),
        );
    }
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.tensors.clear();
  }
}

/** Gradients by variable, from either form that TensorFlow.js passes. */
export function gradientsByVariable(gradients: tf.NamedTensorMap | NamedTensor[]): [tf.Variable, tf.Tensor][] {
  const list = Array.isArray(gradients) ? gradients : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
  return list.flatMap(({ name, tensor }) => {
    const variable = tf.engine().registeredVariables[name];
    return variable && tensor ? [[variable, tensor] as [tf.Variable, tf.Tensor]] : [];
  });
}
