import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Observable } from "rxjs";
import type { Batch } from "../../core/batch.js";
import type { RunContext } from "../../core/run-context.js";
import type { Sample } from "../../core/sample.js";
import { SlabPool } from "../../core/slab-pool.js";
import { niftiCases, PHANTOM_CLASSES, writePhantoms } from "../../io/index.js";
import { augment, batch, type CaseItem, cached, cases, clip, load, normalize, patch, resample, skipBlank } from "../../operators/index.js";
import { run, to } from "../../streams/index.js";
import { createTaskPool } from "../../workers/index.js";
import type { BenchOptions, BenchResult } from "./bench-result.js";

const SAMPLES_PER_ROUND = 16;
const WARM_SAMPLES = 16;
const BUDGET = 2 * 1024 ** 3;

/** Every technique every time, as the peers are timed. */
const everything = () => augment({ probability: 1, mirror: true, elastic: true });

const prepared = () => [load(), clip({ min: -79, max: 304 }), normalize({ mode: "z-score" }), resample({ spacing: [3.22, 1.62, 1.62] })] as const;

const batches = (preprocessed: Observable<Sample>): Observable<Batch> =>
  preprocessed.pipe(patch({ size: [32, 64, 64], attempts: 50 }), skipBlank(), everything(), batch({ size: 2 }));

/**
 * Samples through the whole graph: load, clip, z-score, resample, random patch that is not blank, every augmentation, batch of 2. `first-epoch` does
 * everything for every sample, `cached-epoch` reads the preprocessed cases from LMDB. Eight cases of 48x160x160: `$PEERS/data/small`, or phantoms.
 */
export async function benchPipeline({ file, runs, note }: BenchOptions): Promise<readonly BenchResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "voxstream-bench-"));
  try {
    const peers = process.env.PEERS ? join(process.env.PEERS, "data", "small") : undefined;
    const root = file ?? (peers && existsSync(peers) ? peers : await phantoms(join(folder, "data"), note));
    const results: BenchResult[] = [];
    for (const epoch of ["first-epoch", "cached-epoch"] as const) {
      for (const workers of [1, 2]) {
        const prepare = (source: Observable<CaseItem>): Observable<Sample> => {
          const [first, second, third, fourth] = prepared();
          return epoch === "first-epoch"
            ? source.pipe(first, second, third, fourth)
            : source.pipe(cached(first, second, third, fourth, { folder: join(folder, "cache") }));
        };
        results.push(await timePipeline(`pipeline/${epoch}/workers-${workers}`, root, workers, runs, prepare));
        note(`${results.at(-1)!.name}: ${results.at(-1)!.medianMs.toFixed(1)} ms a sample`);
      }
    }
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function phantoms(root: string, note: (text: string) => void): Promise<string> {
  note("writing 8 phantoms of 48x160x160");
  await writePhantoms({ folder: root, cases: 8, shape: [48, 160, 160], spacing: [3, 0.78, 0.78] });
  return root;
}

async function timePipeline(
  name: string,
  root: string,
  workers: number,
  rounds: number,
  prepare: (source: Observable<CaseItem>) => Observable<Sample>,
): Promise<BenchResult> {
  const data = niftiCases({ root, classes: PHANTOM_CLASSES });
  const tasks = await createTaskPool({ threads: workers });
  const context: RunContext = { seed: 1, mode: "training", pool: new SlabPool({ budget: BUDGET }), tasks, onError: "fail" };
  const times: number[] = [];
  let samples = 0;
  let began = 0;
  const flow = batches(prepare(cases(data, { refs: await data.list(), epochs: Number.POSITIVE_INFINITY })));
  const finished = new AbortController();
  const job = run("bench", [flow.pipe(to((made: Batch) => count(made), { name: "consumer" }))], { context });

  function count({ parts }: Batch): void {
    samples += parts.length;
    if (samples === WARM_SAMPLES) began = performance.now();
    else if (samples > WARM_SAMPLES && (samples - WARM_SAMPLES) % SAMPLES_PER_ROUND === 0) {
      const now = performance.now();
      times.push((now - began) / SAMPLES_PER_ROUND);
      began = now;
      if (times.length === rounds) finished.abort();
    }
  }

  await Promise.race([job.done, new Promise<void>((resolve) => finished.signal.addEventListener("abort", () => resolve(), { once: true }))]);
  await job.stop();
  await tasks.destroy();
  times.sort((a, b) => a - b);
  return {
    name,
    shape: "32x64x64",
    medianMs: times[times.length >> 1]!,
    minMs: times[0]!,
    runs: rounds,
    // Linux counts kilobytes; the figure includes what earlier rows of this process needed.
    peakRssMB: process.resourceUsage().maxRSS / 1024,
  };
}
