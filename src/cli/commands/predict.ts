import { Command, InvalidArgumentError, Option } from "commander";
import { errorMessage, VoxError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { PLANES, type PlaneName } from "../../core/plane-name.js";
import type { Triple } from "../../core/shape.js";
import { type EngineName, startEngine } from "../../engine/index.js";
import { type PostprocessingStep, type PredictProgress, type PredictResult, predict, type Rotations } from "../../inference/index.js";
import { plainFolder } from "../../io/plain-folder.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { dashboardOption } from "../dashboard-option.js";
import { engineOptions } from "../engine-options.js";
import { formatDuration } from "../format-duration.js";
import { parseKeepLargest } from "../parse-keep-largest.js";
import { parseMinSize } from "../parse-min-size.js";
import { parseNames } from "../parse-names.js";
import { parseNaturalNumber } from "../parse-natural-number.js";
import { parsePositiveInteger } from "../parse-positive-integer.js";
import { parseShape } from "../parse-shape.js";
import { predictionRun } from "../prediction-run.js";
import { progressLine } from "../progress-line.js";
import { type ReadingFlags, readingOf, readingOptions } from "../reading-options.js";
import { serveRuns } from "../serve-runs.js";
import { stopSignal } from "../stop-signal.js";

interface PredictCommandOptions extends CommonOptions, Omit<ReadingFlags, "mapLabels"> {
  readonly format: "auto" | "nii.gz" | "png";
  readonly input: string;
  readonly output: string;
  readonly overwrite?: boolean;
  readonly probabilities?: boolean;
  readonly ids?: readonly string[];
  readonly ensemble: "mean" | "vote";
  readonly plane: readonly PlaneName[];
  readonly patch?: Triple | "full";
  readonly overlap?: Triple;
  readonly distinct?: boolean;
  readonly batchSize?: number;
  readonly weighting: "constant" | "gaussian";
  readonly flips?: boolean;
  readonly rotations?: true | readonly PlaneName[];
  readonly postprocessing: "auto" | "none";
  readonly onError: "fail" | "skip";
  readonly memory?: string;
  readonly workers?: number;
  readonly dashboard?: boolean | number;
  readonly engine?: EngineName;
  readonly threads?: number;
}

/** `voxstream predict <bundles...> -i <images> -o <folder>`: label maps on exactly the grids of the images. */
export function predictCommand(): Command {
  // In the order in which they are given, over both options.
  const steps: PostprocessingStep[] = [];
  const command = new Command("predict")
    .description("predict a folder of images with a model bundle, or several; label maps come out on exactly the grids of the image files")
    .argument(
      "<bundles...>",
      "folder of the model, such as runs/demo/checkpoints/best; several predict together; a cross-validation's folder is all of its folds",
    )
    .requiredOption("-i, --input <path>", "folder of images, or of KiTS or DICOM cases, or one file")
    .requiredOption("-o, --output <dir>", "gets <id>.nii.gz, or <id>.png for a picture; cases that are there already are left out")
    .addOption(new Option("--format <name>", "what label maps are written as").choices(["auto", "nii.gz", "png"]).default("auto"))
    .addOption(readingOptions.color())
    .addOption(readingOptions.spacing())
    .option("--ids <ids>", "only these cases, separated by commas", parseNames)
    .option("--overwrite", "predict again what is there")
    .option("--probabilities", "also write probabilities/<id>.nii.gz, float32, one channel per class")
    .addOption(new Option("--ensemble <how>", "how several bundles are brought together").choices(["mean", "vote"]).default("mean"))
    .addOption(
      new Option("--plane <names>", "slices that a 2D network sees: axial, coronal or sagittal; of several, separated by commas, the mean")
        .argParser(parsePlanes)
        .default(["axial"], "axial"),
    )
    .option(
      "--patch <size>",
      'window as depth x height x width, like 32x64x64, or "full" for the whole image; by default what the network was trained on',
      parsePatch,
    )
    .option("--overlap <size>", "voxels that neighboring windows share, like 16x32x32; by default half the window", parseOverlap)
    .option("--distinct", "windows without overlap")
    .option("--batch-size <n>", "windows that go through the network at once; 2", parsePositiveInteger)
    .addOption(new Option("--weighting <how>", "how overlapping windows are averaged").choices(["constant", "gaussian"]).default("constant"))
    .option("--flips", "average over mirrored copies (test-time augmentation)")
    .addOption(
      new Option(
        "--rotations [planes]",
        "also average over quarter turns, in all planes where window and spacing are square, or in those given: axial,coronal,sagittal",
      ).argParser(parsePlanes),
    )
    .addOption(
      new Option("--postprocessing <which>", "auto: what a cross-validation chose and wrote into the bundle")
        .choices(["auto", "none"])
        .default("auto"),
    )
    .option(
      "--keep-largest <classes>",
      'keep only the largest component: "kidney", the two largest: "kidney=2", of a region: "kidney+tumor"; of several, separated by commas',
      (text) => steps.push(...text.split(",").map(parseKeepLargest)),
    )
    .option("--min-size <classes=size>", 'remove smaller components: "tumor=50" (mm³) or "tumor=20voxels"; of several, separated by commas', (text) =>
      steps.push(...text.split(",").map(parseMinSize)),
    )
    .addOption(
      new Option("--on-error <what>", "what a case that fails does: end everything, or be reported while the others go on")
        .choices(["fail", "skip"])
        .default("fail"),
    )
    .option("--memory <size>", "budget for the voxels of cases that wait, like 4GB")
    .option("--workers <n>", "threads that load the next case meanwhile; 1", parseNaturalNumber)
    .addOption(dashboardOption())
    .action((bundles: string[], options: PredictCommandOptions) => {
      const isGiven = (name: string): boolean => command.getOptionValueSource(name) === "cli";
      if (isGiven("overlap") && options.distinct) throw contradiction("--overlap must be absent with --distinct, whose windows share nothing");
      if (isGiven("postprocessing") && steps.length > 0) {
        throw contradiction("--postprocessing must be absent with --keep-largest and --min-size, which say themselves what is done");
      }
      return runPredict(bundles, options, steps);
    });
  for (const option of engineOptions()) command.addOption(option);
  return command;
}

async function runPredict(bundles: readonly string[], options: PredictCommandOptions, steps: readonly PostprocessingStep[]): Promise<void> {
  const output = commandOutput(options);
  const line = progressLine();
  const { signal, forget } = stopSignal("predict");
  const engine = await startEngine({
    ...(options.engine !== undefined && { engine: options.engine }),
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  const { ids, patch, batchSize, memory, workers } = options;
  const reading = readingOf(options);
  const set = plainFolder({ root: options.input, ...reading });
  const dashboard = await serveRuns(options.dashboard, options.output, output, { set });
  const shown = dashboard && predictionRun(options.output, engine.name, await set.list());
  const overlap = options.distinct ? ([0, 0, 0] as const) : options.overlap;
  const rotations: Rotations | undefined = options.rotations === true ? "auto" : options.rotations;
  const began = performance.now();
  const predicting = predict({
    bundle: bundles,
    inputs: options.input,
    reading,
    format: options.format,
    output: options.output,
    overwrite: options.overwrite ?? false,
    probabilities: options.probabilities ?? false,
    ensemble: options.ensemble,
    planes: options.plane,
    weighting: options.weighting,
    flips: options.flips ? [0, 1, 2] : [],
    ...(rotations && { rotations }),
    postprocessing: steps.length > 0 ? steps : options.postprocessing,
    onError: options.onError,
    ...(ids && { ids }),
    ...(patch && { patch }),
    ...(overlap && { overlap }),
    ...(batchSize !== undefined && { batchSize }),
    ...(memory !== undefined && { memory }),
    ...(workers !== undefined && { workers }),
    onProgress: (progress) => {
      shown?.onProgress(progress);
      report(progress, line);
    },
    signal,
  });
  let result: PredictResult;
  try {
    result = await predicting;
    shown?.end("completed");
  } catch (error) {
    shown?.end(signal.aborted ? "stopped" : "failed", errorMessage(error));
    throw error;
  } finally {
    await dashboard?.close();
  }
  forget();
  line.end();
  const seconds = (performance.now() - began) / 1000;
  const { written, present, failed, postprocessing } = result;
  output.result(
    {
      written,
      present,
      failed: failed.map((entry) => ({ ...entry })),
      // Plain data, as it stands in prediction.json.
      postprocessing: JSON.parse(JSON.stringify(postprocessing)) as Json,
      seconds,
      engine: engine.name,
    },
    `${written.length} predicted in ${formatDuration(seconds)}, ${present.length} there before, ${failed.length} failed; in ${options.output}`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

function contradiction(message: string): VoxError {
  return new VoxError(message, { code: "ERR_OPTION", where: "predict" });
}

function parsePatch(text: string): Triple | "full" {
  return text === "full" ? "full" : parseShape(text);
}

function parseOverlap(text: string): Triple {
  const extents = text.split(/[x,]/).map(Number);
  if (extents.length === 3 && extents.every((extent) => Number.isInteger(extent) && extent >= 0)) return extents as unknown as Triple;
  throw new InvalidArgumentError('must be depth, height and width, like "16x32x32"');
}

function parsePlanes(text: string): PlaneName[] {
  const names = text.split(",").map((name) => name.trim()) as PlaneName[];
  if (names.every((name) => PLANES.includes(name))) return names;
  throw new InvalidArgumentError(`must be among ${PLANES.join(", ")}`);
}

function report(
  { id, state, done, total, windows, remainingSeconds, seconds, message }: PredictProgress,
  line: ReturnType<typeof progressLine>,
): void {
  const left = remainingSeconds === undefined ? "" : `, ${formatDuration(remainingSeconds)} left`;
  switch (state) {
    case "predicting":
      line.update(`${id} (${done + 1}/${total})${windows ? `: patch ${windows.done}/${windows.total}` : ""}${left}`);
      break;
    case "written":
      line.end(`${id} (${done}/${total}) written${seconds === undefined ? "" : ` in ${seconds.toFixed(1)} s`}${left}`);
      break;
    case "present":
      line.end(`${id} (${done}/${total}) is there already`);
      break;
    case "failed":
      line.end(`${id} (${done}/${total}) failed: ${message}`);
      break;
    default:
      state satisfies never;
  }
}
