import * as tf from "@tensorflow/tfjs-core";
import type { Position } from "../../streams/index.js";
import type { Gradients } from "../learning/gradient-sum.js";
import type { LearnedGroup } from "../learning/learn-group.js";
import type { StepFigures } from "../learning/learner.js";
import { flatTensors } from "./flat-tensors.js";
import type { Ranks } from "./ranks.js";
import { together } from "./together.js";

export interface ShareGroupOptions {
  readonly ranks: Ranks;
  readonly variables: readonly tf.Variable[];
  /** What this rank learns in the step; undefined when its share of the epoch is used up. */
  readonly learn: () => Promise<LearnedGroup | undefined>;
  /** Where this rank goes on when it learns nothing. */
  readonly position: Position;
  /** How long this rank has waited for its batches, in milliseconds. */
  readonly waitMs: () => number;
}

/** What the ranks have learned in one step: the same on each of them. */
export interface SharedGroup {
  readonly figures: StepFigures;
  readonly gradients: Gradients;
  /** Over all ranks. */
  readonly samples: number;
  /** Where each rank goes on. */
  readonly positions: readonly Position[];
  readonly workMs: number;
  /** The longest wait of a rank: the others waited for it. */
  readonly waitMs: number;
}

/**
 * One step of all ranks: the means of gradients and figures by numbers of samples, as if all their batches were one. A rank without a batch has no weight.
 *
 * @throws what learning throws, on all ranks
 */
export async function shareGroup({ ranks, variables, learn, position, waitMs }: ShareGroupOptions): Promise<SharedGroup | undefined> {
  let group: LearnedGroup | undefined;
  if (ranks.size === 1) {
    group = await learn();
    return group && { ...group, positions: [group.position], waitMs: waitMs() };
  }
  const told = await together(ranks, async () => {
    group = await learn();
    return {
      samples: group?.samples ?? 0,
      loss: group?.figures.loss ?? 0,
      metrics: { ...group?.figures.metrics },
      // Which variables have a gradient; a rank without a batch cannot know.
      learned: group ? variables.map((variable) => group!.gradients.has(variable)) : [],
      position: group?.position ?? position,
      waitMs: waitMs(),
    };
  });
  const began = performance.now();
  const samples = told.reduce((sum, rank) => sum + rank.samples, 0);
  const mean = (read: (rank: (typeof told)[number]) => number): number =>
    told.reduce((sum, rank) => (rank.samples > 0 ? sum + read(rank) * rank.samples : sum), 0) / samples;
  const witness = told.find((rank) => rank.samples > 0)!;
  const learned = variables.filter((_, k) => witness.learned[k]);
  return {
    figures: {
      loss: mean(({ loss }) => loss),
      metrics: Object.fromEntries(Object.keys(witness.metrics).map((name) => [name, mean(({ metrics }) => metrics[name]!)])),
    },
    gradients: await meanGradients(ranks, learned, group?.gradients, (group?.samples ?? 0) / samples),
    samples,
    positions: told.map((rank) => rank.position),
    workMs: (group?.workMs ?? 0) + performance.now() - began,
    waitMs: Math.max(...told.map((rank) => rank.waitMs)),
  };
}

async function meanGradients(ranks: Ranks, variables: readonly tf.Variable[], own: Gradients | undefined, weight: number): Promise<Gradients> {
  const gradients = own && variables.map((variable) => own.get(variable)!);
  const flat = gradients ? await flatTensors.join(gradients, weight) : new Float32Array(variables.reduce((sum, { size }) => sum + size, 0));
  tf.dispose(gradients ?? []);
  await ranks.sum(flat);
  const means = flatTensors.split(
    flat,
    variables.map(({ shape }) => shape),
  );
  return new Map(variables.map((variable, k) => [variable, means[k]!]));
}
