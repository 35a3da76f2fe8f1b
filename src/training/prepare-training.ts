import type { CaseRef } from "../core/case.js";
import { VoxError } from "../core/errors.js";
import { requireCaseIds } from "../core/require-case-ids.js";
import { type Engine, type EngineName, startEngine } from "../engine/index.js";
import { checkPatch } from "../models/index.js";
import type { TrainingConfig } from "./config/training-config.js";
import { type GraphSummary, inspectGraph } from "./hosting/inspect-graph.js";
import { requireMonitor } from "./learning/require-monitor.js";
import { requireOverlap } from "./learning/require-overlap.js";
import type { LaunchedRanks } from "./ranks/launched-ranks.js";
import type { Ranks } from "./ranks/ranks.js";
import { cardsFor, sharedCards } from "./ranks/shared-cards.js";
import { sharedError } from "./ranks/together.js";
import { useOwnGpu } from "./ranks/use-own-gpu.js";
import { dataFingerprint } from "./run/data-fingerprint.js";
import { splitCases } from "./split-cases.js";

export interface PreparedTraining {
  readonly refs: readonly CaseRef[];
  readonly summary: GraphSummary;
  readonly trainingIds: readonly string[];
  readonly validationIds: readonly string[];
  readonly fingerprint: string;
  readonly engine: Engine;
  /** Ranks of this machine are in each other's way. */
  readonly warning?: string;
}

/** What can be known of a training before it has a run folder and before any voxel is read. */
export async function prepareTraining(config: TrainingConfig, ranks: Ranks, launched: LaunchedRanks): Promise<PreparedTraining> {
  const { data, model, seed = 0 } = config;
  const summary = inspectGraph(config);
  if (summary.patch) checkPatch(model, summary.patch);
  requireOverlap(config, summary.patch);
  const refs = await data.list();
  requireCaseIds(refs, "train");
  const parts = splitCases(refs, config.split, seed);
  const trainingIds = parts.training.map(({ id }) => id);
  if (trainingIds.length < ranks.size) {
    const sentence = `there must be at least one training case per rank, got ${trainingIds.length} for ${ranks.size} ranks`;
    throw new VoxError(sentence, { code: "ERR_CONFIG", where: "train" });
  }
  requireMonitor(config, parts.validation.length > 0);
  const [cards, listed] = [await cardsFor(launched), process.env.CUDA_VISIBLE_DEVICES];
  useOwnGpu(launched, cards);
  const engine = await startEngine({
    seed,
    // The engine checks the name.
    ...(config.engine !== undefined && { engine: config.engine as EngineName | "auto" }),
    threads: config.threads || launched.processors,
  });
  const warning = sharedCards(launched, engine.name, listed, cards);
  return {
    refs,
    summary,
    trainingIds,
    validationIds: parts.validation.map(({ id }) => id),
    fingerprint: await dataFingerprint(refs),
    engine,
    ...(warning !== undefined && { warning }),
  };
}

/**
 * Checks that all ranks see the same cases.
 *
 * @throws `ERR_DATA`
 */
export function requireSameData(fingerprints: readonly string[]): void {
  const other = fingerprints.findIndex((fingerprint) => fingerprint !== fingerprints[0]);
  if (other < 0) return;
  const sentence = `all ranks must see the same case files, but those of rank ${other} differ from those of rank 0 in name, number or size`;
  throw sharedError(new VoxError(sentence, { code: "ERR_DATA", where: "train" }));
}
