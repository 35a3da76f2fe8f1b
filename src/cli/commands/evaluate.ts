import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import { VoxError } from "../../core/errors.js";
import { evaluate, evaluationMetricsTable, evaluationTable, writeOverlays } from "../../evaluation/index.js";
import { listedCases } from "../../evaluation/listed-cases.js";
import { classesOption } from "../classes-option.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { type OverlayOptions, overlayOptions, overlayStyle } from "../overlay-options.js";
import { parseLength } from "../parse-length.js";
import { progressLine } from "../progress-line.js";
import { type ReadingFlags, readingOf, readingOptions } from "../reading-options.js";
import { regionOption, regionsOf } from "../region-option.js";
import { stopSignal } from "../stop-signal.js";

interface EvaluateCommandOptions extends CommonOptions, OverlayOptions, ReadingFlags {
  readonly classes: readonly string[];
  readonly ids?: readonly string[];
  readonly region?: readonly string[];
  readonly tolerance?: number;
  readonly output?: string;
  readonly images?: string;
  readonly overlays?: string;
  readonly onError: "fail" | "skip";
}

/** `voxstream evaluate <predictions> <labels>`: scores per case and class. */
export function evaluateCommand(): Command {
  const command = new Command("evaluate")
    .argument("<predictions>", "folder of <id>.nii.gz, <id>.png or another format")
    .argument("<labels>", "folder of <id>.nii.gz, or a data set: KiTS, nnU-Net or Decathlon layout, DICOM cases, or a CSV manifest")
    .addOption(classesOption().makeOptionMandatory())
    .option("-o, --output <dir>", "gets detailed.tsv, summary.json, confusion.json and confusion.png")
    .option("--ids <ids>", "these cases, separated by commas; one without a prediction is listed as missing", (text) =>
      text.split(",").map((id) => id.trim()),
    )
    .addOption(readingOptions.labels())
    .addOption(readingOptions.spacing())
    .addOption(regionOption())
    .option("--tolerance <mm>", "of the NSD; 1 mm", parseLength)
    .option("--overlays <dir>", "gets a GIF and a PNG per case, truth beside prediction")
    .option("--images <path>", "the images, for --overlays: a folder of <id>.nii.gz, or a data set; those of the labels, where these are a data set")
    .addOption(
      new Option("--on-error <what>", "what a pair that cannot be compared does: end everything, or be listed while the others go on")
        .choices(["fail", "skip"])
        .default("fail"),
    )
    .action(async (predictions: string, labels: string, options: EvaluateCommandOptions) => {
      const output = commandOutput(options);
      const { classes, ids, tolerance } = options;
      const regions = regionsOf(options.region ?? [], classes, "evaluate");
      const images = options.images ?? ((await isDataSet(labels)) ? labels : undefined);
      if (options.overlays !== undefined && images === undefined) {
        throw new VoxError("--images must be given with --overlays where the labels are a folder of files, got none", {
          code: "ERR_OPTION",
          where: "evaluate",
        });
      }
      const { signal, forget } = stopSignal("evaluate");
      const line = progressLine();
      const { summary, rows, files } = await evaluate({
        predictions,
        labels,
        reading: readingOf(options),
        classes,
        onError: options.onError,
        regions,
        signal,
        ...(ids && { ids }),
        ...(tolerance !== undefined && { tolerance }),
        ...(options.output !== undefined && { output: options.output }),
        onProgress: ({ id, done, total }) => line.update(`${id} (${done}/${total})`),
      });
      line.end();
      if (options.overlays !== undefined && images !== undefined) {
        await writeOverlays({
          ...overlayStyle(options),
          ...(ids && { ids }),
          images,
          labels,
          reading: readingOf(options),
          predictions,
          classes,
          output: options.overlays,
          rows,
          signal,
        });
      }
      output.result(
        // Plain data, as it stands in summary.json.
        JSON.parse(JSON.stringify({ ...summary, files })),
        [evaluationTable(summary), "", evaluationMetricsTable(summary), ...(files.length > 0 ? ["", `written: ${files.join(", ")}`] : [])].join("\n"),
      );
      if (summary.failed.length > 0) process.exitCode = 1;
      forget();
    });
  for (const option of overlayOptions()) command.addOption(option);
  return command;
}

/** Whether the labels come with the paths of their images. */
async function isDataSet(labels: string): Promise<boolean> {
  return existsSync(labels) && (await listedCases(labels)).length > 0;
}
