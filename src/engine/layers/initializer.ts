import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

export type Initializer = ReturnType<typeof tfl.initializers.glorotUniform>;

/** An initializer as a saved model holds it. */
export interface SavedInitializer {
  readonly className: string;
  readonly config: tf.serialization.ConfigDict;
}

export function saveInitializer(initializer: Initializer): tf.serialization.ConfigDict {
  return { className: initializer.getClassName(), config: initializer.getConfig() };
}

/** An initializer, from itself or from a saved model. */
export function restoreInitializer(value: Initializer | SavedInitializer | undefined): Initializer {
  if (value === undefined) return tfl.initializers.glorotUniform({});
  if (!("className" in value && "config" in value)) return value as Initializer;
  const [type, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[value.className] ?? [];
  if (!type || !fromConfig) throw new Error(`unknown initializer ${value.className}`);
  return fromConfig(type, value.config) as Initializer;
}
