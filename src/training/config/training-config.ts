import type { Observable } from "rxjs";
import type { Batch } from "../../core/batch.js";
import type { DataSet } from "../../core/case.js";
import type { RunContext } from "../../core/run-context.js";
import type { Triple } from "../../core/shape.js";
import type { Loss, TrainingMetric } from "../../losses/index.js";
import type { ModelSpec } from "../../models/index.js";
import type { CaseItem } from "../../operators/load/case-item.js";
import type { OptimizerOptions } from "../learning/make-optimizer.js";
import type { Schedule } from "../schedules/schedule.js";
import type { TrainingCallback } from "../training-callback.js";

export interface GraphInput {
  /** One item per case and epoch, in an order drawn per epoch when training. */
  readonly cases: Observable<CaseItem>;
  /** Training, or validation: random stages are identities there, and crops are those of epoch 0. */
  readonly mode: RunContext["mode"];
  /** Class names; index = label. */
  readonly classes: readonly string[];
}

/** From cases to batches. Called when a run begins, on the graph thread, and before that to look at its operators; must not read data itself. */
export type GraphFunction = (input: GraphInput) => Observable<Batch>;

/** Which cases train and which validate: a share drawn by the seed, or the ids of both. */
export type Split = { readonly validation: number } | { readonly validation: readonly string[]; readonly training?: readonly string[] };

export interface ValidationOptions {
  /** Validate after every so many epochs; 1. */
  readonly every?: number;
  /** Another graph than the training's. */
  readonly graph?: GraphFunction;
  /** Whether patches validate, by the validation graph; `false` leaves only whole cases. */
  readonly patches?: boolean;
  /** Also predict whole cases: `val_dice` and `val_dice_<class>`, as in evaluations, but on the network's grid. */
  readonly cases?: CaseValidationOptions;
}

export interface CaseValidationOptions {
  /** After every so many epochs; 10. */
  readonly every?: number;
  /** Voxels that neighboring windows share; half the patch. Less is faster. */
  readonly overlap?: Triple;
  /** Which of their label maps are kept, to look back at in the dashboard. */
  readonly keep?: KeepCasesOptions;
}

/** What is kept of whole validation cases, in `validation/` of the run's folder. */
export interface KeepCasesOptions {
  /** Of so many cases, the same ones each time; 8. None with 0. */
  readonly cases?: number;
  /** After so many epochs at most; 24. Once there are more, every other one goes, never the first and the newest. */
  readonly epochs?: number;
  /** Room on the disk for all of them; `"256MB"`. */
  readonly bytes?: string | number;
}

export interface EarlyStoppingOptions {
  /** Epochs without improvement before training ends. */
  readonly patience: number;
  /** Smallest change that counts as improvement. */
  readonly minDelta?: number;
}

/** When checkpoints are written, besides at the ends of epochs (those of very short ones are passed over), on signals, and at the end. */
export interface CheckpointOptions {
  readonly everySteps?: number;
  /** 5 by default. */
  readonly everyMinutes?: number;
}

export interface TrainingOptions {
  readonly epochs: number;
  /** Makes an epoch a number of steps; absent: one pass over the cases. */
  readonly stepsPerEpoch?: number;
  /** 1e-4 by default. */
  readonly learningRate?: number;
  /** `"adam"` by default. */
  readonly optimizer?: OptimizerOptions["name"] | OptimizerOptions;
  /** How the learning rate changes: `plateau(…)`, `polynomial(…)`, `cosine(…)`, `warmUp(…)`, or absent: constant. */
  readonly schedule?: Schedule;
  readonly earlyStopping?: EarlyStoppingOptions;
  /** Largest L2 norm of all gradients together; larger ones are scaled down. */
  readonly clipNorm?: number;
  /** Batches whose gradients make one step, as if they were one large batch; 1. An epoch's last step may have fewer. */
  readonly accumulate?: number;
  /** Decay of a running mean of the weights, such as 0.999; validation and the best checkpoint use the mean. Absent: none is kept. */
  readonly ema?: number;
  /** What the best checkpoint, the plateau and early stopping look at: `"loss"`, `"val_loss"`, or a metric's column such as `"val_softDice"`. */
  readonly monitor?: string;
  readonly checkpoint?: CheckpointOptions;
  readonly callbacks?: readonly TrainingCallback[];
}

/** Where the weights come from, and which of them stay as they are. */
export interface InitOptions {
  /** Folder of a bundle, such as `runs/kits/checkpoints/best`. */
  readonly bundle: string;
  /** Names of layers that do not learn; `*` stands for any characters: `["down*"]` is the encoder of a U-Net. */
  readonly freeze?: readonly string[];
}

/** What a config file exports. */
export interface TrainingConfig {
  readonly data: DataSet;
  readonly split?: Split;
  readonly graph: GraphFunction;
  readonly validation?: ValidationOptions;
  readonly model: ModelSpec;
  readonly loss: Loss;
  readonly metrics?: readonly TrainingMetric[];
  readonly training: TrainingOptions;
  /** Begin with the weights of an earlier training; layers that do not fit, such as the last one for other classes, begin anew. Absent: drawn by the seed. */
  readonly init?: string | InitOptions;
  /** Everything random follows from it; 0 by default. */
  readonly seed?: number;
  /** Budget of all voxel memory of the graph, such as `"8GB"`; by default a quarter of the machine's, at most 8 GB. */
  readonly memory?: string | number;
  /** Worker threads of the graph; by default one less than the cores; 0 works on the thread of the graph itself. */
  readonly workers?: number;
  readonly engine?: string;
  /** Threads of the engine; by default all cores. */
  readonly threads?: number;
  /** Folder name of the run; by default the config file's name. */
  readonly name?: string;
  /** Where run folders are made; `runs` by default. */
  readonly runs?: string;
  /** What happens when a case cannot be read; `"fail"` by default. */
  readonly onError?: "fail" | "skip";
  /** With `onError: "skip"`: most cases that may fail before the run ends after all; by default a tenth of the cases, at least 5. */
  readonly skipBudget?: number;
  /** Whether numbers of jobs and prefetched batches follow what the stages report; the batches are the same either way. On by default. */
  readonly autotune?: boolean;
}
