import type * as tfl from "@tensorflow/tfjs-layers";
import type { Triple } from "../core/shape.js";

/** What is read of a layer's configuration. */
interface LayerConfig {
  readonly strides?: number | readonly number[] | null;
  readonly poolSize?: number | readonly number[];
  readonly size?: number | readonly number[];
}

/**
 * What each extent of an input must be divisible by, so that a network's poolings leave no remainder: the largest product of strides on the way to any of
 * its layers, per axis. Read from the layers themselves, so it holds for custom networks, too.
 *
 * @shape for 2D networks the depth's divisor is 1
 * @example
 * modelDivisor(unet({ depth: 3 }).build({ shape: [32, 64, 64, 1], classes: 3 })); // [8, 8, 8]
 */
export function modelDivisor(model: tfl.LayersModel): Triple {
  const axes = model.inputs[0]!.shape.length - 2;
  /** Downsampling so far, by the id of the tensor. */
  const reached = new Map<number, readonly number[]>();
  const largest = new Array<number>(axes).fill(1);
  // Layers of a model stand in order of execution.
  for (const layer of model.layers) {
    const [factor, grows] = factorOf(layer, axes);
    for (const { inputTensors, outputTensors } of layer.inboundNodes) {
      const before = Array.from({ length: axes }, (_, axis) => Math.max(1, ...inputTensors.map(({ id }) => reached.get(id)?.[axis] ?? 1)));
      const after = before.map((scale, axis) => (grows ? scale / factor[axis]! : scale * factor[axis]!));
      for (const { id } of outputTensors) reached.set(id, after);
      after.forEach((scale, axis) => {
        largest[axis] = Math.max(largest[axis]!, scale);
      });
    }
  }
  return axes === 2 ? [1, largest[0]!, largest[1]!] : [largest[0]!, largest[1]!, largest[2]!];
}

function factorOf(layer: tfl.layers.Layer, axes: number): readonly [factor: readonly number[], grows: boolean] {
  const name = layer.getClassName();
  const { strides, poolSize, size } = layer.getConfig() as LayerConfig;
  const full = (value: number | readonly number[] | null | undefined): readonly number[] =>
    value === null || value === undefined ? new Array<number>(axes).fill(1) : typeof value === "number" ? new Array<number>(axes).fill(value) : value;
  if (/UpSampling/.test(name)) return [full(size), true];
  if (/Transpose/.test(name)) return [full(strides), true];
  if (/Pooling\dD$/.test(name) && !/^Global/.test(name)) return [full(strides ?? poolSize), false];
  return [full(strides), false];
}
