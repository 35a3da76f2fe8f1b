import { parseBytes } from "../core/bytes.js";
import type { DataSet } from "../core/case.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { TaskRunner } from "../core/run-context.js";
import { eachCase } from "./each-case.js";
import { type CaseFinding, type VerifyCaseOptions, verifyCase } from "./verify-case.js";

export interface VerifyCasesOptions {
  /** Whether a case without a label is an error. */
  readonly needsLabel?: boolean;
  /** Threads that read cases, such as `createTaskPool()`; without them cases are read here, one at a time. */
  readonly tasks?: TaskRunner;
  /** Memory for all cases that are read at once; "4GB". */
  readonly memory?: string | number;
  readonly onCase?: (id: string, findings: readonly CaseFinding[], done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Worker threads load the transpiled copy, under test too. */
const MODULE = new URL(import.meta.url.endsWith(".ts") ? "../../dist/io/verify-case.js" : "./verify-case.js", import.meta.url).href;

/**
 * Reads every file of every case completely and lists all that is wrong or suspicious, each with the file and a way to fix it.
 *
 * @throws `ERR_OPTION`; what `dataset.list()` throws
 * @example
 * for (const { file, message, fix } of await verifyCases(data)) console.error(file, message, fix);
 */
export async function verifyCases(dataset: DataSet, options: VerifyCasesOptions = {}): Promise<readonly CaseFinding[]> {
  requireKnownOptions("verifyCases", options, ["needsLabel", "tasks", "memory", "onCase", "signal"]);
  const { needsLabel = true, tasks, memory = "4GB", onCase, signal } = options;
  const all: CaseFinding[] = [];
  await eachCase<VerifyCaseOptions, CaseFinding[]>({
    dataset,
    options: { needsLabel },
    local: verifyCase,
    remote: { url: MODULE, export: "verifyCaseTask" },
    tasks,
    budget: parseBytes(memory, "verifyCases", "memory"),
    signal,
    onResult: (findings, { id }, done, total) => {
      all.push(...findings);
      onCase?.(id, findings, done, total);
    },
  });
  return all;
}
