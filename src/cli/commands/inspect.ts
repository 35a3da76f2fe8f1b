import { extname } from "node:path";
import { Command } from "commander";
import { formatBytes } from "../../core/bytes.js";
import { VoxError } from "../../core/errors.js";
import { formatShape } from "../../core/shape.js";
import { type CaseSummary, type CasesSummary, INSPECTED_PERCENTILES, inspectCases } from "../../io/index.js";
import { writeAtomically } from "../../io/write-atomically.js";
import { createTaskPool } from "../../workers/index.js";
import { classesOption } from "../classes-option.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatTable } from "../format-table.js";
import { layoutOption } from "../layout-option.js";
import { type DataSetOptions, openDataSet } from "../open-data-set.js";
import { parseNaturalNumber } from "../parse-natural-number.js";
import { progressLine } from "../progress-line.js";
import { readingOptions } from "../reading-options.js";
import { requireWritableFile } from "../require-writable-file.js";
import { stopSignal } from "../stop-signal.js";

interface InspectCommandOptions extends CommonOptions, DataSetOptions {
  readonly csv?: string;
  readonly png?: string;
  readonly workers?: number;
  readonly memory?: string;
}

/** `voxstream inspect <data>`: what the cases of a data set are. */
export function inspectCommand(): Command {
  return new Command("inspect")
    .description("list what the cases of a data set are: shapes, spacing, orientation, sizes, intensities, histograms, voxels per class")
    .argument("<data>", "folder in KiTS, nnU-Net or Decathlon layout, a folder of DICOM cases, or a CSV manifest")
    .addOption(classesOption())
    .addOption(layoutOption())
    .addOption(readingOptions.labels())
    .addOption(readingOptions.color())
    .addOption(readingOptions.spacing())
    .option("--csv <file>", "also write one row per case: with percentiles, intensities and volume of each class")
    .option("--png <file>", "also draw histograms of all classes, and box plots of their volumes beside them in <file>-volumes.png")
    .option("--workers <n>", "threads that read cases; by default one fewer than cores", parseNaturalNumber)
    .option("--memory <size>", "for all cases that are read at once; 4GB")
    .action(async (root: string, options: InspectCommandOptions) => {
      const output = commandOutput(options);
      if (options.png !== undefined && extname(options.png).toLowerCase() !== ".png") {
        throw new VoxError(`--png must be a file that ends with .png, got ${options.png}`, { code: "ERR_OPTION", where: "inspect" });
      }
      for (const path of [options.csv, options.png]) if (path !== undefined) requireWritableFile(path);
      const data = openDataSet(root, options);
      const line = progressLine();
      const { signal, forget } = stopSignal("inspect");
      const tasks = createTaskPool({ ...(options.workers !== undefined && { threads: options.workers }) });
      let summary: CasesSummary;
      try {
        summary = await inspectCases(data, {
          tasks,
          signal,
          ...(options.memory !== undefined && { memory: options.memory }),
          onCase: ({ id }, done, total) => line.update(`${id} (${done}/${total})`),
        });
      } finally {
        await tasks.destroy();
        forget();
        line.end();
      }
      if (options.csv !== undefined) {
        await writeAtomically(options.csv, [
          Buffer.from(
            `${csvRows(summary)
              .map((row) => row.map(quoted).join(","))
              .join("\n")}\n`,
          ),
        ]);
      }
      // Drawing needs more modules than reading.
      const figures = options.png === undefined ? [] : await (await import("../inspect-figures.js")).inspectFigures(summary, options.png);
      output.result(
        JSON.parse(JSON.stringify({ ...summary, figures })),
        [describeSummary(summary), ...figures.map((path) => `figure: ${path}`)].join("\n"),
      );
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
      ...(["min", "max", "mean", "std"] as const).map((field) => one.channels.map((channel) => short(channel[field])).join(" ")),
      ...classes.map((_, label) => (one.classVoxels ? String(one.classVoxels[label] ?? 0) : "-")),
    ]),
  ];
}

/** As the table, and what is too wide for a terminal. Of several channels the numbers stand in one cell. */
function csvRows(summary: CasesSummary): string[][] {
  const { classes, cases } = summary;
  const [head, ...rows] = caseRows(summary);
  const perChannel = (one: CaseSummary, of: (channel: CaseSummary["channels"][number]) => number | undefined): string =>
    one.channels.map((channel) => short(of(channel))).join(" ");
  const more: [title: string, of: (one: CaseSummary) => string][] = [
    ["image bytes", (one) => String(one.bytes.image)],
    ["label bytes", (one) => String(one.bytes.label)],
    ...INSPECTED_PERCENTILES.map((rank, at): [string, (one: CaseSummary) => string] => [
      `percentile ${rank}`,
      (one) => perChannel(one, (channel) => channel.percentiles[at]),
    ]),
    ...classes.flatMap((name, label): [string, (one: CaseSummary) => string][] => [
      [`${name} mm3`, ({ classVoxels, spacing }) => (classVoxels ? short((classVoxels[label] ?? 0) * spacing[0] * spacing[1] * spacing[2]) : "-")],
      ...(["min", "max", "mean", "std"] as const).map((field): [string, (one: CaseSummary) => string] => [
        `${name} ${field}`,
        (one) => perChannel(one, (channel) => channel.classes?.[label]?.[field]),
      ]),
    ]),
  ];
  return [[...head!, ...more.map(([title]) => title)], ...rows.map((row, at) => [...row, ...more.map(([, of]) => of(cases[at]!))])];
}

function describeSummary(summary: CasesSummary): string {
  const { classes, failed, warnings, totals } = summary;
  const all = totals.classVoxels.reduce((sum, count) => sum + count, 0);
  const ofClasses = totals.classVoxels.map((voxels, label) => [
    classes[label] ?? "(not declared)",
    String(label),
    String(totals.classCases[label] ?? 0),
    String(voxels),
    all > 0 ? `${((100 * voxels) / all).toFixed(3)}%` : "-",
    totals.classVolumes[label]?.map((volume) => String(Number((volume / 1000).toPrecision(3)))).join(" / ") ?? "-",
    totals.channels.map((channel) => intensities(channel.classes[label])).join("; "),
  ]);
  const shared = totals.channels.map(({ sharedRange }) => (sharedRange ? `${short(sharedRange[0])} to ${short(sharedRange[1])}` : "none"));
  return [
    formatTable(caseRows(summary)),
    "",
    `${totals.cases} cases, ${totals.labelled} with a label; depth x height x width ${formatShape(totals.minShape)} to ${formatShape(totals.maxShape)}, median ${formatShape(totals.medianShape)}`,
    `median spacing ${totals.medianSpacing.map((side) => side.toFixed(2)).join(", ")} mm; images ${formatBytes(totals.bytes.image)}, labels ${formatBytes(totals.bytes.label)} on disk`,
    `intensities ${totals.range.map(([min, max]) => `${short(min)} to ${short(max)}`).join("; ")}; in every case ${shared.join("; ")}`,
    "",
    formatTable([
      ["class", "label", "cases", "voxels", "share", "ml (min / median / max)", "intensities (mean ± std)"],
      ...ofClasses.filter(([, label, cases]) => Number(label) < classes.length || cases !== "0"),
    ]),
    ...failed.map(({ message }) => `cannot be read: ${message}`),
    ...warnings.map((message) => `warning: ${message}`),
  ].join("\n");
}

function intensities(own: CasesSummary["totals"]["channels"][number]["classes"][number] | undefined): string {
  return own ? `${short(own.min)} to ${short(own.max)} (${short(own.mean)} ± ${short(own.std)})` : "-";
}

function short(value: number | undefined): string {
  return value === undefined ? "-" : String(Number(value.toPrecision(5)));
}

function quoted(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
