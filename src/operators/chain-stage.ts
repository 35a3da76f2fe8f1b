import type { Observable, OperatorFunction } from "rxjs";
import type { RunContext } from "../core/run-context.js";
import type { Sample } from "../core/sample.js";
import { mapAsync } from "../streams/map-async.js";
import { type ChainInput, ChainRun, KEPT_FREE } from "./chain-run.js";
import type { CaseItem } from "./load/case-item.js";
import { openCase } from "./load/open-case.js";
import { type Chain, tagChain } from "./operator-link.js";
import { withRunContext } from "./with-run-context.js";

/** How often the reading of a case is tried again. */
export const RETRIES = 2;

/** One stage for a whole chain; the flow remembers its chain, so that the next 1:1 operator prolongs it. */
export function chainStage(chain: Chain): Observable<Sample> {
  const { upstream, load, links } = chain;
  const name = [...(load ? ["load"] : []), ...links.map((link) => link.name)].join("+");
  const operator = withRunContext<unknown, Sample>(name, (context) => (flow) => {
    if (!load) return (flow as Observable<ChainInput>).pipe(worker(name, new ChainRun(links, context, undefined), 0));
    const run = new ChainRun(links, context, { nonFinite: "fail", labels: "declared", ...load });
    return (flow as Observable<CaseItem>).pipe(headers("headers", context), worker(name, run, KEPT_FREE * context.pool.budget));
  });
  return tagChain(operator(upstream), chain);
}

/** Opens cases ahead of their loading: shapes are known before memory is taken. */
export function headers(name: string, { mode }: RunContext): OperatorFunction<CaseItem, ChainInput> {
  return mapAsync((item: CaseItem) => openCase(item, mode), { name, concurrency: 2, retries: RETRIES });
}

function worker(name: string, run: ChainRun, keepFree: number): OperatorFunction<ChainInput, Sample> {
  return mapAsync((input: ChainInput, { signal }) => run.apply(input, signal), {
    name,
    // Reading may fail and succeed a moment later; arithmetic does not.
    retries: keepFree > 0 ? RETRIES : 0,
    concurrency: "tasks",
    bytes: (input) => run.bytes(input),
    keepFree,
  });
}
