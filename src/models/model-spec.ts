import type * as tfl from "@tensorflow/tfjs-layers";
import type { Json } from "../core/json.js";
import type { Shape4, Triple } from "../core/shape.js";

export interface ModelInput {
  /** One patch: `[depth, height, width, channels]`. */
  readonly shape: Shape4;
  readonly classes: number;
  /** Key of the initial weights. */
  readonly seed?: number;
}

/** A network before its input size is known: what a config names, what a bundle remembers. */
export interface ModelSpec {
  readonly name: string;
  readonly options: Json;
  /** 2 for networks on `[batch, height, width, channels]`, 3 on `[batch, depth, height, width, channels]`. */
  dimensions(patch: Triple): 2 | 3;
  /** What each patch extent must be divisible by. */
  divisor(patch: Triple): Triple;
  /**
   * The network with its initial weights; its output are logits, one channel per class.
   *
   * @throws `ERR_MODEL` when the patch does not fit the network
   */
  build(input: ModelInput): tfl.LayersModel;
}
