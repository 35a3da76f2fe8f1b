import { Command, Option } from "commander";
import { formatBytes } from "../../core/bytes.js";
import { VoxError } from "../../core/errors.js";
import { type ExportFormat, exportBundle } from "../../training/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";

interface ExportCommandOptions extends CommonOptions {
  readonly output: string;
  readonly format?: ExportFormat;
  readonly layout?: "channels-first" | "channels-last";
  readonly probabilities?: boolean;
  readonly fixed?: boolean;
}

/** `voxstream export <bundle> -o <model.onnx>`: the network for programs without Voxstream. */
export function exportCommand(): Command {
  return new Command("export")
    .argument("<bundle>", "folder of the model, such as runs/demo/checkpoints/best")
    .requiredOption("-o, --output <path>", "model.onnx, or a folder with --format tfjs; what is there is replaced")
    .addOption(new Option("--format <format>", "onnx when the output ends with .onnx").choices(["onnx", "tfjs"]))
    .addOption(
      new Option("--layout <layout>", "where ONNX' input and output have their channels: channels-first by default").choices([
        "channels-first",
        "channels-last",
      ]),
    )
    .option("--probabilities", "ONNX: put the softmax into the file; otherwise it gives logits")
    .option("--fixed", "ONNX: only for images of the patch's extents; otherwise these are open where the network allows it")
    .addHelpText("after", "\nThe file holds classes, spacing and preprocessing as metadata. docs/onnx.md shows how to run it from Python.")
    .action(async (bundle: string, { output, format, layout, probabilities, fixed, ...common }: ExportCommandOptions) => {
      if (format === "tfjs" && output.endsWith(".onnx")) {
        throw new VoxError(`--output must be a folder with --format tfjs, got ${output}`, { code: "ERR_OPTION", where: "export" });
      }
      const exported = await exportBundle({
        bundle,
        output,
        ...(format !== undefined && { format }),
        ...(layout !== undefined && { layout }),
        ...(probabilities !== undefined && { probabilities }),
        ...(fixed !== undefined && { openExtents: !fixed }),
      });
      const { path, bytes, parameters, divisor, description } = exported;
      commandOutput(common).result(
        { format: exported.format, path, bytes, parameters, divisor: [...divisor], classes: [...description.classes], model: description.model.name },
        `${path} (${exported.format}, ${formatBytes(bytes)}, ${description.model.name} with ${parameters} parameters, classes ${description.classes.join(", ")})`,
      );
    });
}
