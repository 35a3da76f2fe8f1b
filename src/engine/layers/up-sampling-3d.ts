import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { upSample3d } from "../ops/up-sample-3d.js";
import { extent3, type LayerExtent, requireExtent } from "./kernel-layer.js";
import { LAYER_OPTIONS } from "./layer-options.js";
import { type LayerArguments, type LayerShape, onlyShape, onlyTensor } from "./layer-shape.js";

export interface UpSampling3dOptions extends LayerArguments {
  readonly size?: LayerExtent;
  readonly interpolation?: "nearest" | "linear";
}

class UpSampling3d extends tfl.layers.Layer {
  static className = "VoxUpSampling";
  private readonly size: LayerExtent;
  private readonly interpolation: "nearest" | "linear";

  constructor(args: UpSampling3dOptions) {
    super(args);
    const { size = 2, interpolation = "nearest" } = args;
    requireExtent(size, "upSampling3d", "size");
    requireOption(["nearest", "linear"].includes(interpolation), "upSampling3d", "interpolation", "nearest or linear", interpolation);
    this.size = size;
    this.interpolation = interpolation;
  }

  override computeOutputShape(inputShape: LayerShape | LayerShape[]): LayerShape {
    const shape = onlyShape(inputShape);
    const axes = (shape.length - 2) as 2 | 3;
    const factor = extent3(this.size, axes);
    return shape.map((size, d) => (size === null || d === 0 || d === shape.length - 1 ? size : size * factor[d - 1 + 3 - axes]!));
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = onlyTensor(inputs);
      const axes = (x.rank - 2) as 2 | 3;
      const volume = (axes === 3 ? x : tf.expandDims(x, 1)) as tf.Tensor5D;
      const y = upSample3d(volume, { size: extent3(this.size, axes), interpolation: this.interpolation });
      return axes === 3 ? y : tf.squeeze(y, [1]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), size: this.size, interpolation: this.interpolation } as tf.serialization.ConfigDict;
  }
}
tf.serialization.registerClass(UpSampling3d as unknown as tf.serialization.SerializableConstructor<UpSampling3d>);

/**
 * Enlarges volumes (rank 5) or images (rank 4) by whole factors, by repetition or by linear interpolation between centers.
 *
 * @shape `[N, D, H, W, C]` → `[N, D * s, H * s, W * s, C]`
 * @throws `ERR_OPTION` for options outside their rule
 * @example
 * upSampling3d({ size: 2, interpolation: "linear" }).apply(x)
 */
export function upSampling3d(options: UpSampling3dOptions = {}): tfl.layers.Layer {
  requireKnownOptions("upSampling3d", options, ["size", "interpolation", ...LAYER_OPTIONS]);
  return new UpSampling3d(options);
}
