import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CaseReading, CaseRef, DataSet } from "../core/case.js";
import { requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { elementCount, spatial } from "../core/shape.js";
import type { ReadingOptions } from "../io/case-reading.js";
import { volumesByStem } from "../io/layouts/volume-files.js";
import { plainFolder } from "../io/plain-folder.js";
import { readHeader } from "../io/read-header.js";
import { labelDtype, readLabel } from "../io/read-label.js";
import { readLabelHeader } from "../io/read-label-header.js";
import { readVolume } from "../io/read-volume.js";
import { requireSameGrid } from "../io/require-same-grid.js";
import type { VolumeHeader } from "../io/volume-format.js";
import { writeAtomically } from "../io/write-atomically.js";
import type { EvaluationRow } from "./evaluation-summary.js";
import { type OverlayGifOptions, overlayGif } from "./figures/overlay-gif.js";
import type { OverlayCase } from "./figures/overlay-painter.js";
import { overlayPng } from "./figures/overlay-png.js";
import { labelFiles } from "./label-files.js";
import { labelReadings } from "./label-readings.js";
import { listedCases } from "./listed-cases.js";

export interface WriteOverlaysOptions extends Omit<OverlayGifOptions, "scores" | "caption" | "classes"> {
  /** The images: a folder as `predict` takes it, or a data set, also as a folder or CSV manifest in any layout of `imageCases`. */
  readonly images: string | DataSet;
  /** The references, as `evaluate` takes them; without them only the prediction is shown. */
  readonly labels?: string | DataSet;
  /** What stored values and pixels of the labels mean, as for `evaluate`. */
  readonly reading?: Pick<ReadingOptions, "labels" | "spacing">;
  /** Folder of `<id>.nii.gz` or `<id>.png`. */
  readonly predictions: string;
  readonly classes: readonly string[];
  /** Gets `<id>.gif` and `<id>.png`. */
  readonly output: string;
  /** By default all cases that have a prediction. */
  readonly ids?: readonly string[];
  /** Of an evaluation of these predictions: the legend then gives each class's Dice. */
  readonly rows?: readonly EvaluationRow[];
  readonly onCase?: (files: { readonly id: string; readonly gif: string; readonly png: string }) => void;
  readonly signal?: AbortSignal;
}

/**
 * Draws each case: an animated GIF through all slices with ground truth, prediction and a map of errors over the image, and a PNG of the most telling slice.
 *
 * @returns the paths, GIF and PNG per case
 * @throws `ERR_OPTION`; `ERR_GEOMETRY` when image, label and prediction do not lie on one grid; `ERR_EMPTY` when no case has a prediction; what reading and writing throw
 * @example
 * await writeOverlays({ images: data, labels: data, predictions: "predictions", classes, output: "overlays", window: { min: -160, max: 240 } });
 */
export async function writeOverlays(
  options: WriteOverlaysOptions,
): Promise<readonly { readonly id: string; readonly gif: string; readonly png: string }[]> {
  requireKnownOptions("writeOverlays", options, [
    "images",
    "labels",
    "predictions",
    "classes",
    "output",
    "ids",
    "rows",
    "onCase",
    "signal",
    "reading",
    "window",
    "alpha",
    "outline",
    "plane",
    "panelSize",
    "framesPerSecond",
    "maxFrames",
    "errors",
    "colors",
  ]);
  const { images, labels, predictions, classes, output, ids, rows = [], errors = true, onCase, signal, reading: _, ...style } = options;
  requireOption(classes.length >= 2, "writeOverlays", "classes", "at least two class names, the background first", classes);
  const references = labels === undefined ? undefined : await labelFiles(labels, classes);
  const readingOf = await labelReadings(labels ?? images, options.reading, classes);
  const predicted = volumesByStem(predictions);
  const cases = (await imagesOf(images)).flatMap(({ id, images: files, reading }) => {
    const prediction = predicted.get(id);
    return prediction === undefined || (ids && !ids.includes(id))
      ? []
      : [{ id, image: files[0]!, prediction, label: references?.get(id), reading: readingOf(id) ?? reading }];
  });
  if (cases.length === 0)
    throw new VoxError("there must be predictions <id>.nii.gz or <id>.png of the given images, got none", { code: "ERR_EMPTY", where: predictions });
  const written: { id: string; gif: string; png: string }[] = [];
  for (const { id, ...files } of cases) {
    if (signal?.aborted) throw new VoxError("the drawing was stopped", { code: "ERR_STOPPED", where: "writeOverlays", cause: signal.reason });
    const content = await readOverlayCase(id, files, classes);
    const scores = Object.fromEntries(
      rows.flatMap((row): [number, string][] => {
        const { dice } = row.metrics;
        return row.id === id && row.labels.length === 1 && dice !== undefined && !Number.isNaN(dice)
          ? [[row.labels[0]!, `Dice ${dice.toFixed(2)}`]]
          : [];
      }),
    );
    const full = { ...style, errors, classes, scores };
    const paths = { id, gif: join(output, `${id}.gif`), png: join(output, `${id}.png`) };
    await writeAtomically(paths.gif, [await overlayGif(content, full)]);
    await writeAtomically(paths.png, [await overlayPng(content, full)]);
    written.push(paths);
    onCase?.(paths);
  }
  return written;
}

async function imagesOf(images: string | DataSet): Promise<readonly CaseRef[]> {
  if (typeof images !== "string") return images.list();
  const listed = existsSync(images) ? await listedCases(images) : [];
  return listed.length > 0 ? listed : plainFolder({ root: images }).list();
}

async function readOverlayCase(
  id: string,
  files: {
    readonly image: string;
    readonly label: string | undefined;
    readonly prediction: string;
    readonly reading: CaseReading | undefined;
  },
  classes: readonly string[],
): Promise<OverlayCase> {
  const { image, label, prediction, reading } = files;
  const { labels: _, ...place } = reading ?? {};
  const header = await readHeader(image, place);
  const voxels = new Float32Array(elementCount(header.shape));
  readVolume(header, voxels, { nonFinite: "replace" });
  const map = async (path: string, meaning: CaseReading): Promise<Uint8Array | Uint16Array> => {
    const own = await readLabelHeader(path, meaning, header);
    requireSameGrid(header, own, "label", id);
    return labelsOf(own, classes);
  };
  return {
    id,
    image: voxels,
    channels: header.shape[3],
    shape: spatial(header.shape),
    spacing: header.geometry.spacing,
    prediction: await map(prediction, place),
    ...(label !== undefined && { label: await map(label, reading ?? {}) }),
  };
}

function labelsOf(header: VolumeHeader, classes: readonly string[]): Uint8Array | Uint16Array {
  const count = elementCount(header.shape);
  const target = labelDtype(classes.length) === "uint8" ? new Uint8Array(count) : new Uint16Array(count);
  readLabel(header, target);
  return target;
}
