import { Command, Option } from "commander";
import { evaluate, evaluationTable, writeOverlays } from "../../evaluation/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { progressLine } from "../progress-line.js";

interface EvaluateCommandOptions extends CommonOptions {
  readonly classes: readonly string[];
  readonly output?: string;
  readonly images?: string;
  readonly overlays?: string;
  readonly onError: "fail" | "skip";
}

/** `voxstream evaluate <predictions> <labels>`: scores per case and class. */
export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description("compare predictions with references per case and class: Dice, IoU, sensitivity, precision, HD95, ASSD, NSD, volume error")
    .argument("<predictions>", "folder of <id>.nii.gz")
    .argument("<labels>", "folder of <id>.nii.gz, or of KiTS cases")
    .requiredOption("--classes <names>", "class names in the order of their labels, background first: background,kidney,tumor", (text) =>
      text.split(","),
    )
    .option("-o, --output <dir>", "gets detailed.tsv and summary.json")
    .option("--overlays <dir>", "gets a GIF and a PNG per case, truth beside prediction (needs --images)")
    .option("--images <dir>", "the images, for --overlays")
    .addOption(new Option("--on-error <what>", "what a pair that cannot be compared does").choices(["fail", "skip"]).default("fail"))
    .action(async (predictions: string, labels: string, options: EvaluateCommandOptions) => {
      const output = commandOutput(options);
      const { classes } = options;
      if (options.overlays !== undefined && options.images === undefined) output.note("--overlays needs --images; no pictures are made");
      const line = progressLine();
      const { summary, rows, files } = await evaluate({
        predictions,
        labels,
        classes,
        onError: options.onError,
        ...(options.output !== undefined && { output: options.output }),
        onProgress: ({ id, done, total }) => line.update(`${id} (${done}/${total})`),
      });
      line.end();
      if (options.overlays !== undefined && options.images !== undefined) {
        await writeOverlays({ images: options.images, labels, predictions, classes, output: options.overlays, rows });
      }
      output.result(
        // Plain data, as it stands in summary.json.
        JSON.parse(JSON.stringify({ ...summary, files })),
        evaluationTable(summary),
      );
    });
}
