import type { Observable } from "rxjs";
import type { CaseRef, DataSet } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import type { RunContext } from "../core/run-context.js";
import type { Sample } from "../core/sample.js";
import { cases } from "../operators/load/cases.js";
import { type LoadOptions, load } from "../operators/load/load.js";
import { transform } from "../operators/transform.js";
import { iterate } from "../streams/iterate.js";
import { prefetch } from "../streams/stages/prefetch.js";
import type { PreprocessingStep } from "../training/bundle/bundle-description.js";

export interface PreprocessedCasesOptions {
  readonly data: DataSet;
  readonly refs: readonly CaseRef[];
  /** One list of steps per kind of preprocessing. */
  readonly preprocessings: readonly (readonly PreprocessingStep[])[];
  /** One for each kind, so that none waits for memory that another holds. */
  readonly contextOf: (kind: number) => RunContext;
  readonly onSkip: (id: string, error: Error) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Loads and preprocesses case after case, one ahead of the one that is predicted, in every kind that is asked for. A case that fails in one kind comes in
 * none. What is yielded is released when the next one is asked for.
 *
 * @throws `ERR_BUNDLE` for a step that is not known; with `onError: "fail"` what the first bad case throws; `ERR_STOPPED`
 */
export async function* preprocessedCases({
  data,
  refs,
  preprocessings,
  contextOf,
  onSkip,
  signal,
}: PreprocessedCasesOptions): AsyncGenerator<readonly Sample[], void, undefined> {
  const failed = new Set<string>();
  const skip = ({ id, error, message }: { readonly id: string; readonly error?: unknown; readonly message: string }): void => {
    if (failed.has(id)) return;
    failed.add(id);
    onSkip(id, error instanceof Error ? error : new Error(message));
  };
  const flows = preprocessings.map((steps, kind) =>
    iterate(flowOf(data, refs, steps), { name: "predict", context: contextOf(kind), onSkip: skip, ...(signal && { signal }) }),
  );
  const ahead = new Array<Sample | undefined>(flows.length);
  try {
    for (const { id } of [...refs].sort((a, b) => (a.id < b.id ? -1 : 1))) {
      for (const [kind, flow] of flows.entries()) {
        if (ahead[kind] === undefined) {
          const { value, done } = await flow.next();
          if (!done) ahead[kind] = value;
        }
      }
      const samples = ahead.filter((sample) => sample?.id === id) as Sample[];
      ahead.forEach((sample, kind) => {
        if (sample?.id === id) ahead[kind] = undefined;
      });
      if (samples.length === flows.length) yield samples;
    }
    // A flow that still has to end may still have to fail.
    for (const flow of flows) await flow.next();
  } finally {
    await Promise.all(flows.map((flow) => flow.return()));
  }
}

function flowOf(data: DataSet, refs: readonly CaseRef[], preprocessing: readonly PreprocessingStep[]): Observable<Sample> {
  const loading = preprocessing.find(({ name }) => name === "load")?.params as LoadOptions | undefined;
  let flow = cases(data, { refs, order: "sorted" }).pipe(load({ nonFinite: loading?.nonFinite ?? "fail" }));
  for (const step of preprocessing.filter(({ name }) => name !== "load")) flow = flow.pipe(operatorOf(step));
  return flow.pipe(prefetch({ capacity: 1 }));
}

function operatorOf({ name, params }: PreprocessingStep): ReturnType<typeof transform> {
  try {
    return transform({ name, parameters: params });
  } catch (error) {
    throw new VoxError(`the bundle's preprocessing must consist of known steps, got ${name}`, { code: "ERR_BUNDLE", where: "predict", cause: error });
  }
}
