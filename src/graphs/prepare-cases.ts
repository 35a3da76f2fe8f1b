import type { OperatorFunction } from "rxjs";
import type { Sample } from "../core/sample.js";
import { type CaseItem, cached, clip, load, normalize, resample } from "../operators/index.js";
import type { CaseGraphOptions } from "./case-graph-options.js";

/** Loads, clips, resamples and normalizes cases, and what else is done once per case; kept in the cache or on the fly. */
export function prepareCases(
  { range, spacing, normalize: way, store = true }: CaseGraphOptions,
  further: readonly OperatorFunction<Sample, Sample>[] = [],
): OperatorFunction<CaseItem, Sample> {
  const operators = [
    ...(range ? [clip({ min: range[0], max: range[1] })] : []),
    ...(spacing ? [resample({ spacing })] : []),
    normalize(way),
    ...further,
  ];
  if (store) return cached(load(), ...operators);
  return (cases) => operators.reduce((flow, operator) => flow.pipe(operator), cases.pipe(load()));
}
