import type { OperatorFunction } from "rxjs";
import type { Sample } from "../core/sample.js";
import { type CaseItem, cached, load } from "../operators/index.js";

/** Loads cases and runs what is done once per case, kept in the cache or on the fly. */
export function prepareCases(
  operators: readonly OperatorFunction<Sample, Sample>[],
  { store }: { readonly store: boolean },
): OperatorFunction<CaseItem, Sample> {
  if (store) return cached(load(), ...operators);
  return (cases) => operators.reduce((flow, operator) => flow.pipe(operator), cases.pipe(load()));
}
