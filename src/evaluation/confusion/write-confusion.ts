import { join } from "node:path";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { writeAtomically } from "../../io/write-atomically.js";
import { confusionFigure } from "../figures/confusion-figure.js";
import type { CaseConfusion } from "./case-confusion.js";
import { sumConfusions } from "./sum-confusions.js";

export interface WriteConfusionOptions {
  /** Gets the files. */
  readonly output: string;
  /** Class names; index = label. */
  readonly classes: readonly string[];
  readonly cases: readonly CaseConfusion[];
}

/**
 * Writes `confusion.json`, voxels by class of the reference and of the prediction, over all cases and of each; and `confusion.png`, a picture of the whole.
 *
 * @returns the paths
 * @throws `ERR_OPTION`; `ERR_WRITE`; `ERR_SHAPE` when tables and classes differ
 * @example
 * await writeConfusion({ output: "evaluation", classes, cases: confusions });
 */
export async function writeConfusion({ output, classes, cases, ...unknown }: WriteConfusionOptions): Promise<string[]> {
  requireKnownOptions("writeConfusion", unknown, ["output", "classes", "cases"]);
  const confusion = sumConfusions(cases);
  const head = { format: "voxstream-confusion", rows: "reference", columns: "prediction", classes };
  // A line per case: tables of many classes stay readable.
  const list = cases.map((own) => `    ${JSON.stringify(own)}`).join(",\n");
  const fields = [...Object.entries(head), ["confusion", confusion] as const].map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  const files = [join(output, "confusion.json"), join(output, "confusion.png")];
  await writeAtomically(files[0]!, [Buffer.from(`{\n${fields.join(",\n")},\n  "cases": [\n${list}\n  ]\n}\n`)]);
  await writeAtomically(files[1]!, [await confusionFigure({ classes, confusion })]);
  return files;
}
