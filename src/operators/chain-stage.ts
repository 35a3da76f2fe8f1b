import type { Observable, OperatorFunction } from "rxjs";
import type { RunContext } from "../core/run-context.js";
import type { Sample } from "../core/sample.js";
import { mapAsync } from "../streams/stages/map-async.js";
import type { WorkContext } from "../streams/work-context.js";
import { type ChainInput, ChainRun, KEPT_FREE } from "./chain-run.js";
import type { CaseItem } from "./load/case-item.js";
import type { LoadOptions } from "./load/load.js";
import { type OpenCase, openCase } from "./load/open-case.js";
import { canStayOnDisk, slabSample, tooLarge } from "./load/slab-sample.js";
import { type Chain, tagChain } from "./operator-link.js";
import { withRunContext } from "./with-run-context.js";

/** How often the reading of a case is tried again. */
export const RETRIES = 2;

/** One stage for a whole chain; the flow remembers its chain, so that the next 1:1 operator prolongs it. */
export function chainStage(chain: Chain): Observable<Sample> {
  const { upstream, load, links } = chain;
  const name = [...(load ? ["load"] : []), ...links.map((link) => link.name)].join("+");
  const operator = withRunContext<unknown, Sample>(name, (context) => (flow) => {
    if (!load) return (flow as Observable<ChainInput>).pipe(worker(name, new ChainRun(links, context, undefined)));
    const options = { nonFinite: "fail", labels: "declared", ...load } as const;
    const run = new ChainRun(links, context, options);
    return (flow as Observable<CaseItem>).pipe(headers("headers", context), loader(name, run, links, options, context));
  });
  return tagChain(operator(upstream), chain);
}

/** Opens cases ahead of their loading: shapes are known before memory is taken. */
export function headers(name: string, { mode }: RunContext): OperatorFunction<CaseItem, ChainInput> {
  return mapAsync((item: CaseItem) => openCase(item, mode), { name, concurrency: 2, retries: RETRIES });
}

/** Reads cases. One that the budget does not hold stays on disk where its files allow it and nothing but `patch` can follow, so that only crops are read. */
function loader(
  name: string,
  run: ChainRun,
  links: Chain["links"],
  load: Required<LoadOptions>,
  { pool }: RunContext,
): OperatorFunction<ChainInput, Sample> {
  const keepFree = KEPT_FREE * pool.budget;
  // Only opened cases come here.
  const staysOnDisk = (input: ChainInput): boolean =>
    links.length === 0 && canStayOnDisk(input as OpenCase) && run.bytes(input) + keepFree > pool.budget;
  const work = async (input: ChainInput, { signal }: WorkContext): Promise<Sample> =>
    staysOnDisk(input) ? slabSample(input as OpenCase, load) : run.apply(input, signal);
  return mapAsync(work, {
    name,
    retries: RETRIES,
    concurrency: "tasks",
    bytes: (input) => {
      if (staysOnDisk(input)) return 0;
      const pieces = run.pieces(input);
      const bytes = pieces.reduce((sum, piece) => sum + piece, 0);
      if (bytes + keepFree <= pool.budget) return pieces;
      throw tooLarge(
        input as OpenCase,
        bytes,
        pool.budget,
        keepFree,
        links.map((link) => link.name),
      );
    },
    keepFree,
  });
}

function worker(name: string, run: ChainRun): OperatorFunction<ChainInput, Sample> {
  return mapAsync((input: ChainInput, { signal }) => run.apply(input, signal), {
    name,
    concurrency: "tasks",
    bytes: (input) => run.pieces(input),
  });
}
