import type { Observable } from "rxjs";
import type { CaseRef, DataSet } from "../../core/case.js";
import { requireOption, VoxError } from "../../core/errors.js";
import { Random } from "../../core/random.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { checkedPipe } from "../../streams/checked-pipe.js";
import { listed } from "../../streams/stages/listed.js";
import { source } from "../../streams/stages/source.js";
import { withRunContext } from "../with-run-context.js";
import type { CaseItem } from "./case-item.js";

export interface CasesOptions {
  /**
   * The data set's list, as `await data.list()` gives it; or an asynchronous iterable that finds the cases while the graph already runs: the first epoch then has
   * its order. It is asked for an iterator in every run.
   */
  readonly refs: readonly CaseRef[] | AsyncIterable<CaseRef>;
  /** Ids of the wanted cases, such as one side of a split; default all. */
  readonly ids?: readonly string[];
  /** How often every case comes; `Infinity` for training until told to stop. Default 1. */
  readonly epochs?: number;
  /** "keyed": another order in every epoch, drawn from (seed, epoch), in training, else by id; "sorted": by id. Default "keyed". */
  readonly order?: "keyed" | "sorted";
}

/**
 * The cases of a data set, epoch after epoch: the source of a graph.
 *
 * @throws `ERR_OPTION`; `ERR_DATA` when an id is not in the list or there twice; `ERR_EMPTY` when no case is left
 * @example
 * const flow = cases(data, { refs: await data.list(), epochs: Infinity }).pipe(load(), normalize());
 */
export function cases(data: DataSet, { refs, ids, epochs = 1, order = "keyed", ...unknown }: CasesOptions): Observable<CaseItem> {
  requireKnownOptions("cases", unknown, ["refs", "ids", "epochs", "order"]);
  requireOption(order === "keyed" || order === "sorted", "cases", "order", '"keyed" or "sorted"', order);
  if (Symbol.asyncIterator in refs) return found(data, refs, { ids, epochs, order });
  const chosen = choose(refs, ids);
  const shuffled = withRunContext<never, CaseItem>("cases", ({ seed, mode }) => {
    const isKeyed = order === "keyed" && mode === "training";
    let drawn: { readonly epoch: number; readonly refs: readonly CaseRef[] } | undefined;
    const inOrder = (epoch: number): readonly CaseRef[] => {
      if (!isKeyed) return chosen;
      if (drawn?.epoch !== epoch) drawn = { epoch, refs: new Random(seed, epoch, "cases").shuffle([...chosen]) };
      return drawn.refs;
    };
    return () =>
      source(
        "cases",
        chosen.length,
        (index, epoch): CaseItem => {
          const ref = inOrder(epoch)[index]!;
          return { id: ref.id, epoch, ref, data };
        },
        { epochs },
      );
  });
  // The source makes its own flow; there is nothing in front of it.
  return checkedPipe(shuffled(undefined as never), { kind: "cases" });
}

/** Cases whose listing goes on: ids are checked as they come. */
function found(
  data: DataSet,
  refs: AsyncIterable<CaseRef>,
  { ids, epochs, order }: { readonly ids: readonly string[] | undefined; readonly epochs: number; readonly order: "keyed" | "sorted" },
): Observable<CaseItem> {
  const wanted = ids && new Set(ids);
  async function* distinct(): AsyncGenerator<CaseRef> {
    const seen = new Set<string>();
    for await (const ref of refs) {
      if (seen.has(ref.id)) throw new VoxError(`case ids must be unique, got ${ref.id} twice`, { code: "ERR_DATA", where: "cases" });
      seen.add(ref.id);
      if (!wanted || wanted.has(ref.id)) yield ref;
    }
    const lost = [...(wanted ?? [])].filter((id) => !seen.has(id));
    if (lost.length > 0)
      throw new VoxError(`ids must be in the data set, got ${lost.join(", ")}, which it does not have`, { code: "ERR_DATA", where: "cases" });
    if (seen.size === 0) throw new VoxError("there must be at least one case, got none", { code: "ERR_EMPTY", where: "cases" });
  }
  const make = withRunContext<never, CaseItem>(
    "cases",
    ({ seed, mode }) =>
      () =>
        listed(
          "cases",
          { [Symbol.asyncIterator]: distinct },
          {
            epochs,
            order: (items, epoch) => {
              const sorted = [...items].sort((a, b) => (a.id < b.id ? -1 : 1));
              return order === "keyed" && mode === "training" ? new Random(seed, epoch, "cases").shuffle(sorted) : sorted;
            },
            make: (ref: CaseRef, epoch): CaseItem => ({ id: ref.id, epoch, ref, data }),
          },
        ),
  );
  // The source makes its own flow; there is nothing in front of it.
  return checkedPipe(make(undefined as never), { kind: "cases" });
}

function choose(refs: readonly CaseRef[], ids: readonly string[] | undefined): readonly CaseRef[] {
  const byId = new Map<string, CaseRef>();
  for (const ref of refs) {
    if (byId.has(ref.id)) throw new VoxError(`case ids must be unique, got ${ref.id} twice`, { code: "ERR_DATA", where: "cases" });
    byId.set(ref.id, ref);
  }
  const wanted = [...new Set(ids ?? byId.keys())].sort();
  if (wanted.length === 0) throw new VoxError("there must be at least one case, got none", { code: "ERR_EMPTY", where: "cases" });
  return wanted.map((id) => {
    const ref = byId.get(id);
    if (!ref)
      throw new VoxError(`ids must be in the data set, got ${id}, which is none of its ${byId.size} cases`, { code: "ERR_DATA", where: "cases" });
    return ref;
  });
}
