import { existsSync, readdirSync, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, extname, join, resolve } from "node:path";
import { isVoxError, requireOption, VoxError } from "../../core/errors.js";
import { makeFolder } from "../../core/make-folder.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { startEngine } from "../../engine/index.js";
import { currentEngine } from "../../engine/start-engine.js";
import { writeError } from "../../io/read-error.js";
import { exportOnnx, extentDivisor, stockModel } from "../../models/index.js";
import type { BundleFile } from "./bundle-description.js";
import { loadBundle } from "./load-bundle.js";
import { saveBundle } from "./save-bundle.js";
import { versions } from "./versions.js";
import { writeDurably } from "./write-durably.js";

/** `"onnx"`: one file for ONNX Runtime and others. `"tfjs"`: a bundle of TensorFlow.js' own layers, whose `model.json` plain TensorFlow.js loads. */
export type ExportFormat = "onnx" | "tfjs";

export interface ExportBundleOptions {
  /** Folder of the model, such as `runs/demo/checkpoints/best`. */
  readonly bundle: string;
  /** An `.onnx` file, or the folder of a TensorFlow.js model. What is there is replaced. */
  readonly output: string;
  /** By the output's name when absent: `.onnx` is ONNX. */
  readonly format?: ExportFormat;
  /** Of ONNX: where its input and output have their channels. */
  readonly layout?: "channels-first" | "channels-last";
  /** Of ONNX: whether the softmax is in the file. */
  readonly probabilities?: boolean;
  /** Of ONNX: whether images of other extents than the patch may come in, where the network allows it. */
  readonly openExtents?: boolean;
}

export interface ExportedBundle {
  readonly format: ExportFormat;
  readonly path: string;
  readonly bytes: number;
  readonly parameters: number;
  readonly description: BundleFile;
  /** What each extent of an image must be divisible by, the finest axis last. */
  readonly divisor: readonly number[];
}

const OPTIONS = ["bundle", "output", "format", "layout", "probabilities", "openExtents"] as const satisfies readonly (keyof ExportBundleOptions)[];

/**
 * Writes the network of a bundle for programs without Voxstream. What they need to know besides (classes, spacing, preprocessing) is in the file: as metadata
 * in ONNX, as `bundle.json` beside `model.json`.
 *
 * @throws `ERR_OPTION` for options outside their rule; `ERR_BUNDLE` when the bundle cannot be read; `ERR_MODEL` naming a layer that has no such form; `ERR_WRITE`
 * @example
 * await exportBundle({ bundle: "runs/demo/checkpoints/best", output: "kidney.onnx" })
 */
export async function exportBundle(options: ExportBundleOptions): Promise<ExportedBundle> {
  requireKnownOptions("exportBundle", options, OPTIONS);
  const { bundle, output, layout = "channels-first", probabilities = false, openExtents = true } = options;
  requireOption(typeof output === "string" && output.length > 0, "exportBundle", "output", "a file or folder", output);
  const format = options.format ?? (extname(output).toLowerCase() === ".onnx" ? "onnx" : undefined);
  requireOption(format === "onnx" || format === "tfjs", "exportBundle", "format", '"onnx" or "tfjs" when the output does not end with .onnx', format);
  const given = (["layout", "probabilities", "openExtents"] as const).find((name) => format === "tfjs" && options[name] !== undefined);
  requireOption(given === undefined, "exportBundle", given ?? "", 'absent with format "tfjs"', given && options[given]);
  requireOption(resolve(output) !== resolve(bundle), "exportBundle", "output", "another folder than the bundle's", output);
  refuseForeign(output, format);
  // Any engine can hold the weights.
  if (!currentEngine()) await startEngine({ engine: "cpu" });
  const { model, description } = await loadBundle(bundle);
  try {
    const divisor = extentDivisor(model);
    const shared = { format, path: output, parameters: model.countParams(), description, divisor };
    if (format === "tfjs") {
      const stock = stockModel(model);
      try {
        await saveBundle(output, stock, plainDescription(description));
      } finally {
        stock.dispose();
      }
      return { ...shared, bytes: readdirSync(output).reduce((sum, name) => sum + statSync(join(output, name)).size, 0) };
    }
    const bytes = exportOnnx(model, {
      layout,
      openExtents,
      output: probabilities ? "probabilities" : "logits",
      version: versions().voxstream!,
      metadata: onnxMetadata(description, { layout, divisor }),
    });
    await replaceFile(output, bytes);
    return { ...shared, bytes: bytes.byteLength };
  } finally {
    model.dispose();
  }
}

const PARTS = ["bundle.json", "model.json", "weights.bin"];

/** A folder of something else must not vanish because of a misplaced `-o`. */
function refuseForeign(output: string, format: ExportFormat): void {
  if (!existsSync(output)) return;
  const isFolder = statSync(output).isDirectory();
  const fits = format === "onnx" ? !isFolder : isFolder && readdirSync(output).every((name) => PARTS.includes(name));
  if (fits) return;
  const rule = format === "onnx" ? "a file" : "a new or empty folder, or one that was exported before";
  throw new VoxError(`output must be ${rule}, got ${isFolder ? "a folder with other content" : "a file"}`, { code: "ERR_OPTION", where: output });
}

/** All that `bundle.json` says of the model, without what it says of its own files. */
function plainDescription(
  file: BundleFile,
): Omit<BundleFile, "format" | "formatVersion" | "createdAt" | "versions" | "parameters" | "weights" | "topology" | "sha256"> {
  const { format, formatVersion, createdAt, versions: _, parameters, weights, topology, sha256, ...description } = file;
  return description;
}

/** What predicting needs besides the network, as texts; lists and objects as JSON. */
function onnxMetadata(
  file: BundleFile,
  { layout, divisor }: { readonly layout: string; readonly divisor: readonly number[] },
): Record<string, string> {
  const entries: Record<string, unknown> = {
    classes: file.classes,
    channels: file.channels,
    patch: file.patch,
    divisor,
    spacing: file.spacing,
    preprocessing: file.preprocessing,
    model: file.model,
    loss: file.loss,
    versions: file.versions,
    weights_sha256: file.weights.sha256,
    layout,
    axes: "depth to superior, height to anterior, width to right (RAS+)",
  };
  return Object.fromEntries(
    Object.entries(entries).map(([name, value]) => [`voxstream.${name}`, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

/** The new file takes the old one's place when it is complete. */
async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}.new`;
  try {
    makeFolder(dirname(path));
    await writeDurably(fresh, bytes);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {});
    throw isVoxError(error) ? error : writeError(path, error);
  }
}
