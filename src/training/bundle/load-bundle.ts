import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { z } from "zod";
import { errorMessage, isVoxError, VoxError } from "../../core/errors.js";
import type { BundleFile } from "./bundle-description.js";
import { readReplaceable } from "./read-replaceable.js";
import { sha256 } from "./save-bundle.js";

export interface LoadedBundle {
  readonly model: tfl.LayersModel;
  readonly description: BundleFile;
}

const triple = z.tuple([z.number(), z.number(), z.number()]);
const named = z.looseObject({ name: z.string() });

/** What the readers of a bundle rely on. */
const schema = z.looseObject({
  format: z.literal("voxstream-bundle"),
  formatVersion: z.literal(1),
  classes: z.array(z.string()).min(2),
  channels: z.int().min(1),
  patch: triple,
  spacing: triple.nullable(),
  preprocessing: z.array(z.looseObject({ name: z.string() })),
  model: named,
  loss: named,
  weights: z.looseObject({ file: z.literal("weights.bin"), bytes: z.number(), sha256: z.string() }),
  topology: z.looseObject({ file: z.literal("model.json"), sha256: z.string() }),
});

/**
 * Loads a bundle: the model with its weights, and all that it says of itself, also that of a training that is going on and replaces it now and then. The
 * engine must have been started.
 *
 * @throws `ERR_BUNDLE` when a file is missing, changed or made by something else
 * @example
 * const { model, description } = await loadBundle("runs/kits/checkpoints/best");
 */
export async function loadBundle(folder: string): Promise<LoadedBundle> {
  const { description, topology, weights } = await readReplaceable(folder, () => readParts(folder));
  try {
    const parsed = JSON.parse(topology.toString("utf8")) as { modelTopology: object; weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[] };
    const weightData = weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength) as ArrayBuffer;
    const model = await tfl.loadLayersModel(
      tf.io.fromMemory({ modelTopology: parsed.modelTopology, weightSpecs: parsed.weightsManifest.flatMap((group) => group.weights), weightData }),
    );
    return { model: requireFit(folder, model, description), description };
  } catch (error) {
    if (isVoxError(error)) throw error;
    throw bundleError(folder, `the network must load, but: ${errorMessage(error)}`, error);
  }
}

interface BundleParts {
  readonly description: BundleFile;
  readonly topology: Buffer;
  readonly weights: Buffer;
}

/** The files of a bundle, of one saving. */
async function readParts(folder: string): Promise<BundleParts> {
  const description = await readDescription(folder);
  const [topology, weights] = await Promise.all([readPart(folder, "model.json"), readPart(folder, "weights.bin")]);
  if (weights.byteLength !== description.weights.bytes) {
    throw bundleError(folder, `weights.bin must have ${description.weights.bytes} bytes, got ${weights.byteLength}`);
  }
  for (const [name, bytes, wanted] of [
    ["model.json", topology, description.topology.sha256],
    ["weights.bin", weights, description.weights.sha256],
  ] as const) {
    if (sha256(bytes) !== wanted) throw bundleError(folder, `${name} must be the file that was saved, but its checksum differs`);
  }
  return { description, topology, weights };
}

/** `bundle.json`, checked. */
export function readBundleFile(folder: string): Promise<BundleFile> {
  return readReplaceable(folder, () => readDescription(folder));
}

async function readDescription(folder: string): Promise<BundleFile> {
  const text = (await readPart(folder, "bundle.json")).toString("utf8");
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw bundleError(folder, `bundle.json must be JSON, but: ${errorMessage(error)}`, error);
  }
  const result = schema.safeParse(content);
  if (!result.success) {
    const { format, formatVersion } = (content ?? {}) as { readonly format?: unknown; readonly formatVersion?: unknown };
    if (format === "voxstream-bundle" && typeof formatVersion === "number" && formatVersion > 1) {
      throw bundleError(folder, `bundle.json must be of format 1, got ${formatVersion}: a newer Voxstream has made it`);
    }
    const [issue] = result.error.issues;
    throw bundleError(folder, `bundle.json must be of format voxstream-bundle 1, but ${issue!.path.join(".") || "it"}: ${issue!.message}`);
  }
  const { sha256: saved, ...rest } = content as { readonly sha256?: unknown };
  if (saved !== undefined && saved !== sha256(JSON.stringify(rest))) {
    throw bundleError(
      folder,
      "bundle.json must be as it was saved, but its checksum differs; remove its last field, sha256, if you changed it on purpose",
    );
  }
  // The schema has checked every field that is read.
  return result.data as unknown as BundleFile;
}

/** Channels and classes of the network are those that the description names. */
function requireFit(folder: string, model: tfl.LayersModel, { channels, classes }: BundleFile): tfl.LayersModel {
  const got = { channels: model.inputs[0]!.shape.at(-1), classes: model.outputs[0]!.shape.at(-1) };
  if ((got.channels ?? channels) === channels && (got.classes ?? classes.length) === classes.length) return model;
  model.dispose();
  throw bundleError(
    folder,
    `the network must have ${channels} channels and ${classes.length} classes, as bundle.json says, got ${got.channels} and ${got.classes}`,
  );
}

async function readPart(folder: string, name: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    const isGone = ["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "");
    if (isGone && name === "bundle.json") {
      const best = join(folder, "checkpoints", "best");
      const hint = existsSync(join(best, "bundle.json")) ? `; the one of this run is ${best}` : "";
      const foreign = existsSync(join(folder, "model.json")) ? "a TensorFlow.js model that Voxstream has not saved" : "none";
      throw bundleError(folder, `the folder must hold a model bundle (bundle.json), got ${foreign}${hint}`, error);
    }
    throw bundleError(folder, `${name} must be there and readable, got ${isGone ? "no such file" : errorMessage(error)}`, error);
  }
}

function bundleError(folder: string, sentence: string, cause?: unknown): VoxError {
  return new VoxError(sentence, { code: "ERR_BUNDLE", where: folder, cause });
}
