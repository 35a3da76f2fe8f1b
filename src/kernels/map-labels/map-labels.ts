import { requireOption, VoxError } from "../../core/errors.js";
import type { LabelArray } from "../label-array.js";
import { native } from "../native.js";
import { requireElements } from "../require-elements.js";
import { mapLabelsReference } from "./reference.js";

declare module "../native.js" {
  interface NativeAddon {
    mapLabels?(input: LabelArray, output: LabelArray, table: Uint16Array): number;
  }
}

/**
 * output = table[label]. `output` may be `input`. No extra memory.
 *
 * @label replaced by the table
 * @throws `ERR_LABEL` when the table has no entry for a label; `ERR_OPTION` when an entry does not fit the output's type; `ERR_SHAPE` when lengths differ
 */
export function mapLabels(input: LabelArray, output: LabelArray, table: Uint16Array): void {
  requireElements("mapLabels", "output", output, input.length);
  const largest = table.reduce((a, b) => Math.max(a, b), 0);
  requireOption(output instanceof Uint16Array || largest <= 255, "mapLabels", "table", "of labels up to 255 for an 8-bit output", largest);
  const addon = native();
  const wrong = addon?.mapLabels ? addon.mapLabels(input, output, table) : mapLabelsReference(input, output, table);
  if (wrong < 0) return;
  throw new VoxError(`table must have an entry for every label, got none for ${input[wrong]} at voxel ${wrong}`, {
    code: "ERR_LABEL",
    where: "mapLabels",
  });
}
