import { createHash } from "node:crypto";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import type { BundleDescription, BundleFile } from "./bundle-description.js";
import { replaceFolder } from "./replace-folder.js";
import { versions } from "./versions.js";
import { writeDurably } from "./write-durably.js";

/**
 * Saves a model with all that predicting needs: `model.json` and `weights.bin` (TensorFlow.js layers-model format) and `bundle.json`.
 *
 * @throws `ERR_WRITE`; a bundle that was there before stays as it was
 * @example
 * await saveBundle("models/kidney", model, description)
 */
export async function saveBundle(folder: string, model: tfl.LayersModel, description: BundleDescription): Promise<void> {
  await replaceFolder(folder, (target) => writeBundle(target, model, description));
}

/** The files of a bundle, into a folder that is there. */
export async function writeBundle(folder: string, model: tfl.LayersModel, description: BundleDescription): Promise<void> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    }),
  );
  const { modelTopology, weightSpecs, weightData } = artifacts!;
  const buffers = weightData === undefined ? [] : Array.isArray(weightData) ? weightData : [weightData];
  const weights = buffers.map((buffer) => new Uint8Array(buffer));
  const topology = JSON.stringify({
    format: "layers-model",
    generatedBy: `Voxstream ${versions().voxstream}, TensorFlow.js ${versions().tfjs}`,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs ?? [] }],
  });
  const file: BundleFile = {
    format: "voxstream-bundle",
    formatVersion: 1,
    createdAt: new Date().toISOString(),
    ...description,
    versions: versions(),
    parameters: model.countParams(),
    weights: { file: "weights.bin", bytes: weights.reduce((sum, { byteLength }) => sum + byteLength, 0), sha256: sha256(...weights) },
    topology: { file: "model.json", sha256: sha256(topology) },
  };
  const checked: BundleFile = { ...file, sha256: sha256(JSON.stringify(file)) };
  await writeDurably(join(folder, "weights.bin"), ...weights);
  await writeDurably(join(folder, "model.json"), topology);
  await writeDurably(join(folder, "bundle.json"), `${JSON.stringify(checked, undefined, 2)}\n`);
}

export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
