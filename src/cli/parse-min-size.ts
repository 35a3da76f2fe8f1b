import { InvalidArgumentError } from "commander";
import type { PostprocessingStep } from "../inference/index.js";

/** `tumor=50`, `tumor=50mm3` or `tumor=20voxels` of `--min-size`. */
export function parseMinSize(text: string): PostprocessingStep {
  const [, names, size, unit = "mm3"] = /^([^=]+)=([\d.]+)(mm3|voxels)?$/.exec(text) ?? [];
  if (names === undefined || !(Number(size) > 0)) {
    throw new InvalidArgumentError('must be classes and a size, like "tumor=50" (mm³), "tumor=20voxels" or "kidney+tumor=50mm3"');
  }
  return { operation: "minimalSize", classes: names.split("+"), size: Number(size), unit: unit === "voxels" ? "voxels" : "mm3" };
}
