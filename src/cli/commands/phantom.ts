import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { VoxError } from "../../core/errors.js";
import type { Triple } from "../../core/shape.js";
import { formatShape } from "../../core/shape.js";
import { writePhantoms } from "../../io/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatTable } from "../format-table.js";
import { parseNaturalNumber } from "../parse-natural-number.js";
import { parsePositiveInteger } from "../parse-positive-integer.js";
import { parseShape } from "../parse-shape.js";
import { stopSignal } from "../stop-signal.js";

interface PhantomCommandOptions extends CommonOptions {
  readonly cases: number;
  readonly shape: Triple;
  readonly seed: number;
  readonly overwrite?: boolean;
}

/** `voxstream phantom <dir>`: makes KiTS-like cases to try things on. */
export function phantomCommand(): Command {
  return new Command("phantom")
    .argument("<dir>", "folder that gets one folder per case")
    .option("--cases <n>", "number of cases", parsePositiveInteger, 8)
    .option("--shape <DxHxW>", "depth, height, width in voxels", parseShape, [48, 96, 96])
    .option("--seed <n>", "the same seed makes the same cases", parseNaturalNumber, 0)
    .option("--overwrite", "write over cases that are in the folder already")
    .action(async (folder: string, options: PhantomCommandOptions) => {
      if (!options.overwrite) refuseCasesIn(folder);
      const output = commandOutput(options);
      const { cases, shape, seed } = options;
      const { signal, forget } = stopSignal("phantom");
      const made = await writePhantoms({ folder, cases, shape, seed, signal, onCase: ({ id }) => output.note(`${id} written`) });
      forget();
      output.result(
        { folder, cases: made.map((info) => ({ ...info, spacing: [...info.spacing] })) },
        `${formatTable([
          ["case", "orientation", "spacing z,y,x mm", "tumors"],
          ...made.map(({ id, orientation, spacing, tumors }) => [id, orientation, spacing.map((side) => side.toFixed(2)).join(", "), String(tumors)]),
        ])}\n\n${cases} case${cases === 1 ? "" : "s"} of ${formatShape(shape)} voxels in ${folder}`,
      );
    });
}

/** Real scans have such names too. */
function refuseCasesIn(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) throw new VoxError(`<dir> must be a folder, got the file ${folder}`, { code: "ERR_OPTION", where: "phantom" });
  const taken = readdirSync(folder).find((name) => /^case_\d{5}$/.test(name));
  if (taken === undefined) return;
  throw new VoxError(`the folder must hold no cases yet, got ${join(folder, taken)} (another folder, or --overwrite)`, {
    code: "ERR_OPTION",
    where: "phantom",
  });
}
