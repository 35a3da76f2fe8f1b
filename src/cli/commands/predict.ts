import { Command, Option } from "commander";
import { type EngineName, startEngine } from "../../engine/index.js";
import { type PredictProgress, predict } from "../../inference/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { engineOptions } from "../engine-options.js";
import { formatDuration } from "../format-duration.js";
import { progressLine } from "../progress-line.js";
import { stopSignal } from "../stop-signal.js";

interface PredictCommandOptions extends CommonOptions {
  readonly input: string;
  readonly output: string;
  readonly overwrite?: boolean;
  readonly probabilities?: boolean;
  readonly weighting: "constant" | "gaussian";
  readonly flips?: boolean;
  readonly onError: "fail" | "skip";
  readonly engine?: EngineName;
  readonly threads?: number;
}

/** `voxstream predict <bundle> -i <images> -o <folder>`: label maps on exactly the grids of the images. */
export function predictCommand(): Command {
  const command = new Command("predict")
    .argument("<bundle>", "folder of the model, such as runs/demo/checkpoints/best")
    .requiredOption("-i, --input <path>", "folder of images or of KiTS cases, or one file")
    .requiredOption("-o, --output <dir>", "gets <id>.nii.gz; cases that are there already are left out")
    .option("--overwrite", "predict again what is there")
    .option("--probabilities", "also write probabilities/<id>.nii.gz, one channel per class")
    .addOption(new Option("--weighting <how>", "how overlapping patches are averaged").choices(["constant", "gaussian"]).default("constant"))
    .option("--flips", "average over mirrored copies (test-time augmentation)")
    .addOption(
      new Option("--on-error <what>", "what a case that fails does: end everything, or be reported while the others go on")
        .choices(["fail", "skip"])
        .default("fail"),
    )
    .action(async (bundle: string, options: PredictCommandOptions) => {
      const output = commandOutput(options);
      const line = progressLine();
      const { signal, forget } = stopSignal("predict");
      const engine = await startEngine({
        ...(options.engine !== undefined && { engine: options.engine }),
        ...(options.threads !== undefined && { threads: options.threads }),
      });
      const began = performance.now();
      const result = await predict({
        bundle,
        inputs: options.input,
        output: options.output,
        overwrite: options.overwrite ?? false,
        probabilities: options.probabilities ?? false,
        weighting: options.weighting,
        flips: options.flips ? [0, 1, 2] : [],
        onError: options.onError,
        onProgress: (progress) => report(progress, line),
        signal,
      });
      forget();
      line.end();
      const seconds = (performance.now() - began) / 1000;
      const { written, present, failed } = result;
      output.result(
        { written, present, failed: failed.map((entry) => ({ ...entry })), seconds, engine: engine.name },
        `${written.length} predicted in ${formatDuration(seconds)}, ${present.length} there before, ${failed.length} failed; in ${options.output}`,
      );
      if (failed.length > 0) process.exitCode = 1;
    });
  for (const option of engineOptions()) command.addOption(option);
  return command;
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
