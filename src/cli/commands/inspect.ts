import { Command } from "commander";
import { formatShape } from "../../core/shape.js";
import { type CasesSummary, inspectCases } from "../../io/index.js";
import { writeAtomically } from "../../io/write-atomically.js";
import { classesOption } from "../classes-option.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatTable } from "../format-table.js";
import { layoutOption } from "../layout-option.js";
import { type DataSetOptions, openDataSet } from "../open-data-set.js";
import { progressLine } from "../progress-line.js";

interface InspectCommandOptions extends CommonOptions, DataSetOptions {
  readonly csv?: string;
}

/** `voxstream inspect <data>`: what the cases of a data set are. */
export function inspectCommand(): Command {
  return new Command("inspect")
    .argument("<data>", "folder in KiTS, nnU-Net or Decathlon layout, or a CSV manifest")
    .addOption(classesOption())
    .addOption(layoutOption())
    .option("--csv <file>", "also write one row per case")
    .action(async (root: string, options: InspectCommandOptions) => {
      const output = commandOutput(options);
      const data = openDataSet(root, options);
      const line = progressLine();
      const summary = await inspectCases(data, { onCase: ({ id }, done, total) => line.update(`${id} (${done}/${total})`) });
      line.end();
      const rows = caseRows(summary);
      if (options.csv !== undefined)
        await writeAtomically(options.csv, [Buffer.from(`${rows.map((row) => row.map(quoted).join(",")).join("\n")}\n`)]);
      output.result(JSON.parse(JSON.stringify(summary)), describeSummary(summary, rows));
      if (summary.failed.length > 0) process.exitCode = 1;
    });
}

function caseRows({ classes, cases }: CasesSummary): string[][] {
  return [
    ["case", "shape", "spacing z,y,x mm", "axes", "type", "min", "max", "mean", "std", ...classes.map((name) => `${name} voxels`)],
    ...cases.map((one) => [
      one.id,
      formatShape(one.shape),
      one.spacing.map((side) => side.toFixed(2)).join(" "),
      one.orientation,
      one.dtype,
      ...(["min", "max", "mean", "std"] as const).map((field) =>
        one.channels.map((channel) => String(Number(channel[field].toPrecision(5)))).join(" "),
      ),
      ...classes.map((_, label) => (one.classVoxels ? String(one.classVoxels[label] ?? 0) : "-")),
    ]),
  ];
}

function describeSummary({ classes, failed, totals }: CasesSummary, rows: string[][]): string {
  const share = totals.classVoxels.reduce((sum, count) => sum + count, 0);
  const ofClasses = totals.classVoxels.map((_, label) => [
    classes[label] ?? "(not declared)",
    String(label),
    String(totals.classCases[label] ?? 0),
    String(totals.classVoxels[label] ?? 0),
    share > 0 ? `${((100 * (totals.classVoxels[label] ?? 0)) / share).toFixed(3)}%` : "-",
  ]);
  return [
    formatTable(rows),
    "",
    `${totals.cases} cases, ${totals.labelled} with a label; depth x height x width ${formatShape(totals.minShape)} to ${formatShape(totals.maxShape)}, median ${formatShape(totals.medianShape)}`,
    `median spacing ${totals.medianSpacing.map((side) => side.toFixed(2)).join(", ")} mm; intensities ${totals.range.map(([min, max]) => `${min} to ${max}`).join("; ")}`,
    "",
    formatTable([
      ["class", "label", "cases", "voxels", "share"],
      ...ofClasses.filter(([, label, cases]) => Number(label) < classes.length || cases !== "0"),
    ]),
    ...failed.map(({ message }) => `cannot be read: ${message}`),
  ].join("\n");
}

function quoted(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
