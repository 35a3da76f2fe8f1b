import type { OperatorFunction } from "rxjs";
import { requireOption } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import type { Sample } from "../../core/sample.js";
import { transform } from "../transform.js";

export interface MapLabelsOptions {
  /** New value of each label value, such as `{ 2: 1 }` to count tumors as kidney. */
  readonly map: Readonly<Record<number, number>>;
  /** What becomes of all other values: they stay, or become this one. Default "keep". */
  readonly others?: "keep" | number;
}

/**
 * label → map[label]. Where no two values become one, files of predictions get the old values back: `{ 4: 3, 3: 4 }`, or `{ 1: 1, 2: 2, 4: 3 }` with `others: 0`.
 * Else they keep the new ones, since nothing tells the old ones apart.
 *
 * @shape image and label → same
 * @units labels
 * @label renamed; uint16 where a new value is above 255; files of predictions get the old values where the map is one to one
 * @throws `ERR_OPTION` when a value is not a whole number in 0..65535
 * @source own
 * @example
 * samples.pipe(mapLabels({ map: { 1: 1, 2: 1 }, others: 0 })) // whole kidney
 */
export function mapLabels(options: MapLabelsOptions): OperatorFunction<Sample, Sample> {
  requireKnownOptions("mapLabels", options, ["map", "others"]);
  const { map, others = "keep" } = options;
  requireOption(typeof map === "object" && map !== null, "mapLabels", "map", "an object of old and new values", map);
  const isLabel = (value: number) => Number.isSafeInteger(value) && value >= 0 && value <= 65535;
  const pairs = Object.entries(map).map(([from, to]) => [Number(from), to] as const);
  requireOption(pairs.length > 0 || others !== "keep", "mapLabels", "map", "not empty", map);
  for (const [from, to] of pairs) requireOption(isLabel(from) && isLabel(to), "mapLabels", "map", "whole numbers in 0..65535", map);
  requireOption(others === "keep" || isLabel(others), "mapLabels", "others", '"keep" or a label', others);
  return transform({ name: "mapLabels", parameters: { pairs, others } });
}
