import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { VoxError } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import { isDicomFolder } from "../../io/dicom/is-dicom-folder.js";
import type { ForegroundIntensities } from "../../io/foreground-intensities.js";
import { type CasesSummary, INSPECTED_PERCENTILES, inspectCases } from "../../io/index.js";
import { writeAtomically } from "../../io/write-atomically.js";
import { classesOption } from "../classes-option.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { configTemplate } from "../config-template.js";
import { layoutOption } from "../layout-option.js";
import { type DataSetOptions, openDataSet } from "../open-data-set.js";
import { progressLine } from "../progress-line.js";
import { readingOf, readingOptions } from "../reading-options.js";
import { requireWritableFile } from "../require-writable-file.js";
import { shellQuoted } from "../shell-quoted.js";

interface InitCommandOptions extends CommonOptions, DataSetOptions {
  readonly data: string;
}

/** `voxstream init <dir> --data <folder>`: a config file with what the data says. */
export function initCommand(): Command {
  return new Command("init")
    .argument("<dir>", "folder that gets voxstream.config.mjs")
    .requiredOption("--data <path>", "folder in KiTS, nnU-Net or Decathlon layout, a folder of DICOM cases, or a CSV manifest")
    .addOption(classesOption())
    .addOption(layoutOption())
    .addOption(readingOptions.labels())
    .addOption(readingOptions.color())
    .addOption(readingOptions.spacing())
    .action(async (folder: string, options: InitCommandOptions) => {
      const output = commandOutput(options);
      const path = join(folder, "voxstream.config.mjs");
      if (existsSync(path)) throw new VoxError("the file must not exist yet; remove or rename it", { code: "ERR_OPTION", where: path });
      requireWritableFile(path);
      const root = resolve(options.data);
      const data = openDataSet(root, options);
      const isDicom = options.layout === "dicom" || (options.layout === "auto" && isDicomFolder(root));
      const line = progressLine();
      const summary = await inspectCases(data, { onCase: ({ id }, done, total) => line.update(`${id} (${done}/${total})`) });
      line.end();
      const undeclared = summary.totals.classCases.flatMap((cases, label) => (label >= data.classes.length && cases > 0 ? [label] : []));
      const warnings = [
        ...summary.failed.map(({ message }) => `left out: ${message}`),
        ...(undeclared.length > 0
          ? [`label maps also hold ${undeclared.join(", ")}, which training refuses: name all classes in --classes, or rename labels with mapLabels`]
          : []),
        ...(summary.totals.labelled < summary.totals.cases
          ? [`${summary.totals.cases - summary.totals.labelled} of ${summary.totals.cases} cases have no label: only the others can train`]
          : []),
      ];
      for (const warning of warnings) output.note(`warning: ${warning}`);
      const { spacing, patch, depth } = plan(summary);
      const name = runName(basename(resolve(folder)));
      const ct = looksLikeHounsfield(summary) ? roundedForeground(summary) : undefined;
      const text = configTemplate({
        ...{ name, root, classes: data.classes, spacing, patch, depth, range: rangeOf(summary) },
        hasValidation: summary.totals.cases > 1,
        ...(ct && { ct }),
        ...(Object.keys(readingOf(options)).length > 0 && { reading: readingOf(options) }),
        ...(isDicom ? { source: "dicomCases" as const } : options.layout !== "auto" && { layout: options.layout }),
      });
      await writeAtomically(path, [Buffer.from(text)]);
      output.result(
        { config: path, spacing: [...spacing], patch: [...patch], warnings },
        `${path} written; train it: voxstream train ${shellQuoted(path)} --dashboard`,
      );
    });
}

/** The folder's name as a run may be called: `Mein Projekt ä` becomes `Mein-Projekt-a`. */
function runName(folder: string): string {
  const plain = folder
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .replace(/[^\w.-]+/g, "-")
    .replace(/^[-.]+|-+$/g, "");
  return plain === "" ? "run" : plain;
}

const MOST_VOXELS = 64 * 128 * 128;

/** Median voxel size; a patch as large as the median case, halved along its longest side until it is affordable; levels as the patch allows. */
function plan({ totals }: CasesSummary): { readonly spacing: Triple; readonly patch: Triple; readonly depth: number } {
  const spacing = totals.medianSpacing.map((side) => Number(side.toFixed(3))) as unknown as Triple;
  const sides = [...totals.medianShape];
  while (sides[0]! * sides[1]! * sides[2]! > MOST_VOXELS) sides[sides.indexOf(Math.max(...sides))]! /= 2;
  const isPlanar = totals.medianShape[0] === 1;
  const spatialSides = isPlanar ? sides.slice(1) : sides;
  const depth = Math.max(1, Math.min(4, Math.floor(Math.log2(Math.min(...spatialSides) / 4))));
  const multiple = 2 ** depth;
  const rounded = (side: number): number => Math.max(multiple, Math.floor(side / multiple) * multiple);
  return { spacing, patch: [isPlanar ? 1 : rounded(sides[0]!), rounded(sides[1]!), rounded(sides[2]!)], depth };
}

function rangeOf({ cases }: CasesSummary): readonly [number, number] {
  const low = INSPECTED_PERCENTILES.indexOf(0.5);
  const high = INSPECTED_PERCENTILES.indexOf(99.5);
  const first = cases.flatMap(({ channels }) => channels.map(({ percentiles }) => percentiles));
  return [Math.floor(Math.min(...first.map((p) => p[low]!))), Math.ceil(Math.max(...first.map((p) => p[high]!)))];
}

/** Air is -1000 HU: images that hold it in every case, in whole numbers, are CT. */
function looksLikeHounsfield({ cases, totals }: CasesSummary): boolean {
  return totals.range.every(([low]) => Number.isInteger(low)) && cases.every(({ channels }) => channels.every(({ min }) => min <= -500));
}

function roundedForeground({ totals: { foreground } }: CasesSummary): ForegroundIntensities | undefined {
  if (!foreground) return undefined;
  const round = (values: readonly number[]): readonly number[] => values.map((value) => Number(value.toFixed(1)));
  const { low, high, mean, deviation } = foreground;
  const numbers = { low: round(low), high: round(high), mean: round(mean), deviation: round(deviation) };
  // A foreground of one single value has no scale.
  return numbers.low.every((value, c) => value < numbers.high[c]! && numbers.deviation[c]! > 0) ? numbers : undefined;
}
