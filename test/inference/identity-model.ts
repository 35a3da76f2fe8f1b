import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import type { Triple } from "../../src/core/shape.js";
import type { BundleFile, PreprocessingStep } from "../../src/training/bundle/bundle-description.js";
import type { LoadedBundle } from "../../src/training/bundle/load-bundle.js";

/** A network of one 1x1x1 convolution whose largest logit is the class that equals the intensity: logit of c is 2cx - c², which is x² - (x - c)² up to x². */
export function identityModel(classes: number, patch: Triple | [null, null, null]): tfl.LayersModel {
  const input = tfl.input({ shape: [...patch, 1] });
  const layer = tfl.layers.conv3d({ filters: classes, kernelSize: 1, name: "logits" });
  const model = tfl.model({ inputs: input, outputs: layer.apply(input) as tfl.SymbolicTensor });
  const c = Array.from({ length: classes }, (_, k) => k);
  layer.setWeights([
    tf.tensor(
      c.map((k) => 2 * k),
      [1, 1, 1, 1, classes],
    ),
    tf.tensor1d(c.map((k) => -k * k)),
  ]);
  return model;
}

/** What `loadBundle` would give for it. */
export function identityBundle(classes: readonly string[], patch: Triple, preprocessing: readonly PreprocessingStep[] = []): LoadedBundle {
  const description: BundleFile = {
    format: "voxstream-bundle",
    formatVersion: 1,
    createdAt: "2020-01-01T00:00:00.000Z",
    classes,
    channels: 1,
    patch,
    spacing: null,
    preprocessing,
    model: { name: "identity", options: {} },
    loss: { name: "none", options: {} },
    engine: "cpu",
    versions: {},
    parameters: 2 * classes.length,
    weights: { file: "weights.bin", bytes: 0, sha256: `identity of ${classes.length}` },
    topology: { file: "model.json", sha256: "" },
  };
  return { model: identityModel(classes.length, patch), description };
}
