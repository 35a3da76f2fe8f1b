import type { CustomCase } from "../../core/case.js";
import { VoxError } from "../../core/errors.js";
import type { Volume } from "../../core/volume.js";
import type { LoadOptions } from "./load.js";
import type { OpenCase } from "./open-case.js";

/** Copies what a custom reader delivered into pooled memory, with the checks that files get. */
export function fillFromCustom(
  custom: CustomCase,
  image: Volume,
  label: Volume | undefined,
  { item }: OpenCase,
  options: Required<LoadOptions>,
): void {
  const { id, data } = item;
  fillImage(custom.image.data, image.data as Float32Array, image.shape[3], id, options.nonFinite);
  if (label) fillLabel(custom.label!.data, label.data as Uint8Array | Uint16Array, options.labels === "declared" ? data.classes : undefined, id);
}

type Values = CustomCase["image"]["data"];

function fillImage(from: Values, to: Float32Array, channels: number, sampleId: string, nonFinite: "fail" | "replace"): void {
  const smallest = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  let wrong = 0;
  let firstWrong = -1;
  for (let i = 0; i < to.length; i++) {
    to[i] = from[i]!;
    const value = to[i]!;
    if (!Number.isFinite(value)) {
      if (wrong++ === 0) firstWrong = i;
    } else if (value < smallest[i % channels]!) smallest[i % channels] = value;
  }
  if (wrong === 0) return;
  if (nonFinite === "fail") {
    throw new VoxError(
      `voxels must be finite, got ${wrong} NaN or infinite of ${to.length}, the first at element ${firstWrong}; nonFinite: "replace" loads them as the smallest finite value`,
      { code: "ERR_VALUES", where: "load", sampleId },
    );
  }
  for (let i = 0; i < to.length; i++) {
    if (Number.isFinite(to[i]!)) continue;
    const value = smallest[i % channels]!;
    to[i] = Number.isFinite(value) ? value : 0;
  }
}

function fillLabel(from: Values, to: Uint8Array | Uint16Array, classes: readonly string[] | undefined, sampleId: string): void {
  const top = classes ? classes.length - 1 : to instanceof Uint8Array ? 255 : 65535;
  for (let i = 0; i < to.length; i++) {
    const value = from[i]!;
    if (!Number.isInteger(value) || value < 0 || value > top) {
      throw new VoxError(`labels must be integers from 0 to ${top}, got ${value} at element ${i}`, { code: "ERR_LABEL", where: "load", sampleId });
    }
    to[i] = value;
  }
}
