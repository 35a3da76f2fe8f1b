import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunEvent } from "../../src/core/run-events.js";
import type { Triple } from "../../src/core/shape.js";
import { type CrossValidateOptions, type CrossValidation, crossValidate } from "../../src/evaluation/cross-validate.js";
import { niftiCases } from "../../src/io/nifti-cases.js";
import { PHANTOM_CLASSES, writePhantoms } from "../../src/io/phantom/write-phantoms.js";
import { softDice, tverskyLoss } from "../../src/losses/index.js";
import { unet } from "../../src/models/index.js";
import { normalize } from "../../src/operators/intensity/normalize.js";
import { load } from "../../src/operators/load/load.js";
import { patch } from "../../src/operators/patch/patch.js";
import { batch } from "../../src/operators/stream/batch.js";
import type { TrainingConfig, TrainingOptions } from "../../src/training/index.js";

export interface SmallCrossValidationOptions {
  readonly cases?: number;
  readonly shape?: Triple;
  readonly patchSize?: Triple;
  readonly depth?: number;
  readonly training?: Partial<TrainingOptions>;
}

/** Phantoms in a temporary folder and a tiny network on them: seconds per fold. */
export interface SmallCrossValidation {
  readonly folder: string;
  readonly runs: string;
  readonly root: string;
  readonly config: TrainingConfig;
  /** Without pictures, unless asked for. */
  readonly validate: (options: Partial<CrossValidateOptions> & { readonly name: string }) => Promise<CrossValidation>;
  /** A JSON file of the runs. */
  readonly json: <T>(...path: string[]) => T;
  readonly text: (...path: string[]) => string;
  readonly events: (...path: string[]) => RunEvent[];
  readonly remove: () => void;
}

export async function smallCrossValidation(options: SmallCrossValidationOptions = {}): Promise<SmallCrossValidation> {
  const { cases = 4, shape = [12, 24, 24], patchSize = [4, 8, 8], depth = 1, training } = options;
  const folder = mkdtempSync(join(tmpdir(), "voxstream-crossval-"));
  const runs = join(folder, "runs");
  const root = join(folder, "data");
  // A data set looks at its folder when it is made.
  await writePhantoms({ folder: root, cases, shape, seed: 3 });
  const config: TrainingConfig = {
    data: niftiCases({ root, classes: PHANTOM_CLASSES }),
    graph: ({ cases: all }) => all.pipe(load(), normalize({ mode: "z-score" }), patch({ size: patchSize, perCase: 1 }), batch({ size: 1 })),
    model: unet({ filters: 2, depth, normalization: "instance" }),
    loss: tverskyLoss(),
    metrics: [softDice()],
    training: { epochs: 2, stepsPerEpoch: 1, learningRate: 1e-3, ...training },
    runs,
    workers: 0,
    threads: 1,
    memory: "64MB",
  };
  const text = (...path: string[]): string => readFileSync(join(runs, ...path), "utf8");
  return {
    folder,
    runs,
    root,
    config,
    validate: ({ name, ...rest }) =>
      crossValidate({ config, ...(rest.resume !== true && { overlays: false }), previews: false, overrides: { name }, ...rest }),
    json: <T>(...path: string[]): T => JSON.parse(text(...path)) as T,
    text,
    events: (...path) =>
      text(...path, "events.jsonl")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as RunEvent),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
