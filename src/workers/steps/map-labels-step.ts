import { VoxError } from "../../core/errors.js";
import { mapLabels } from "../../kernels/map-labels/map-labels.js";
import { inPlacePlan, type Step } from "./step.js";

export interface MapLabelsParams {
  /** Pairs of old and new value. */
  readonly pairs: readonly (readonly [number, number])[];
  /** What becomes of values without a pair: themselves, or this number. */
  readonly others: "keep" | number;
}

/** Renames label values. */
export const mapLabelsStep: Step<MapLabelsParams> = {
  plan(layout, { pairs, others }) {
    const { label } = layout;
    if (!label) return inPlacePlan(layout, { image: "keep" });
    if (label.shape[3] !== 1) {
      throw new VoxError(`the label map must have 1 channel, got ${label.shape[3]}: put mapLabels in front of oneHot`, {
        code: "ERR_SHAPE",
        where: "mapLabels",
      });
    }
    const largest = Math.max(0, others === "keep" ? 0 : others, ...pairs.map(([, to]) => to));
    if (label.dtype === "uint16" || largest <= 255) return inPlacePlan(layout, { image: "keep", label: "rewrite" });
    return { image: "keep", label: "make", layout: { ...layout, label: { ...label, dtype: "uint16" } } };
  },
  apply({ label, params, before }) {
    const { others, pairs } = params;
    // As many entries as the input type has values: no label is without one, and 8-bit labels that stay need no 16-bit output.
    const table = Uint16Array.from({ length: before.label!.dtype === "uint8" ? 256 : 65536 }, (_, value) => (others === "keep" ? value : others));
    for (const [from, to] of pairs) table[from] = to;
    mapLabels(label!.input, label!.output, table);
  },
  names: namesBefore,
};

/** New value → old one; empty where two values became one, since nothing tells them apart again. */
function namesBefore({ pairs, others }: MapLabelsParams): ReadonlyMap<number, number> {
  const back = new Map<number, number>();
  const renamed = new Set(pairs.map(([from]) => from));
  for (const [from, to] of pairs) {
    const keptToo = others === "keep" && from !== to && !renamed.has(to);
    if (back.has(to) || keptToo || to === others) {
      // Background may also hold what was not asked for.
      if (to === 0 && from === 0) continue;
      return new Map();
    }
    back.set(to, from);
  }
  return back;
}
