import type { HistoryEntry } from "../core/sample.js";
import type { LabelArray } from "../kernels/label-array.js";
import { mapLabels } from "../kernels/map-labels/map-labels.js";
import { findStep } from "../workers/steps/find-step.js";

/**
 * Gives predicted classes the values that they have in the label files: what `mapLabels` has renamed one to one is renamed back, the last map first. Classes
 * stay what they are where two values became one. The last thing that is done to a prediction, since all else speaks of classes.
 *
 * @label renamed, in `labels` itself where they fit, else in a uint16 array
 * @example
 * undoRenaming(Uint8Array.of(0, 3), [{ operator: "mapLabels", params: { pairs: [[4, 3], [3, 4]], others: "keep" } }]); // 0, 4
 */
export function undoRenaming(labels: LabelArray, history: readonly HistoryEntry[]): LabelArray {
  let named = labels;
  for (const { operator, params } of [...history].reverse()) {
    const names = findStep(operator)?.names?.(params);
    if (!names || names.size === 0) continue;
    const table = Uint16Array.from({ length: named instanceof Uint8Array ? 256 : 65536 }, (_, value) => names.get(value) ?? value);
    const isWider = named instanceof Uint8Array && table.some((value) => value > 255);
    const output: LabelArray = isWider ? new Uint16Array(named.length) : named;
    mapLabels(named, output, table);
    named = output;
  }
  return named;
}
