import { existsSync } from "node:fs";
import type { CaseRef, DataSet } from "../core/case.js";
import { requireOption, VoxError } from "../core/errors.js";
import { requireCaseIds } from "../core/require-case-ids.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import type { CaseLayout } from "./layouts/case-layout.js";
import { csvLayout } from "./layouts/csv-layout.js";
import { kitsLayout } from "./layouts/kits-layout.js";
import { msdLayout } from "./layouts/msd-layout.js";
import { nnunetLayout } from "./layouts/nnunet-layout.js";

export interface NiftiCasesOptions {
  /** Folder of the data set, or a CSV manifest. */
  readonly root: string;
  /** Class names, index = label value, the first is the background; default: what `dataset.json` says. */
  readonly classes?: readonly string[];
  /** `auto` takes the first layout that the folder looks like: csv, nnunet, msd, kits. */
  readonly layout?: "auto" | "kits" | "nnunet" | "msd" | "csv";
  /** Channels of every case; default: what `dataset.json` or the manifest says, else 1. */
  readonly channels?: number;
  /** Only cases whose whole id matches. */
  readonly pattern?: RegExp | string;
  /** `test` takes `imagesTs` where the layout has it. */
  readonly subset?: "train" | "test";
}

/** In the order in which `auto` tries them: the most specific first. */
const LAYOUTS: readonly CaseLayout[] = [csvLayout, nnunetLayout, msdLayout, kitsLayout];

/**
 * A data set of NIfTI files on disk, read where it lies: KiTS, nnU-Net raw, Medical Segmentation Decathlon, or a CSV manifest. A case without a label
 * file has no label; cases come sorted by id.
 *
 * @throws `ERR_OPTION` for a wrong option; on `list()`: `ERR_READ` when the root does not exist, `ERR_EMPTY` with the layouts looked for when there is no
 * case, `ERR_DATA` when two cases have the same id, or one has an id that cannot be a file name
 * @example
 * const data = niftiCases({ root: "data/kits19", classes: ["background", "kidney", "tumor"] });
 */
export function niftiCases(options: NiftiCasesOptions): DataSet {
  requireKnownOptions("niftiCases", options, ["root", "classes", "layout", "channels", "pattern", "subset"]);
  const { root, classes, layout = "auto", channels, pattern, subset = "train" } = options;
  requireOption(typeof root === "string" && root !== "", "niftiCases", "root", "a path", root);
  requireOption(["auto", ...LAYOUTS.map(({ name }) => name)].includes(layout), "niftiCases", "layout", "auto, kits, nnunet, msd or csv", layout);
  requireOption(channels === undefined || (Number.isInteger(channels) && channels > 0), "niftiCases", "channels", "a positive integer", channels);
  requireOption(subset === "train" || subset === "test", "niftiCases", "subset", '"train" or "test"', subset);
  const candidates = layout === "auto" ? LAYOUTS : LAYOUTS.filter(({ name }) => name === layout);
  const found = existsSync(root) ? candidates.find((candidate) => layout !== "auto" || candidate.matches(root)) : undefined;
  const facts = found?.facts(root) ?? {};
  const names = classes ?? facts.classes;
  requireOption(
    names !== undefined && names.length >= 2,
    "niftiCases",
    "classes",
    "a list of at least two class names (dataset.json gives none)",
    names,
  );
  requireOption(new Set(names).size === names.length, "niftiCases", "classes", "different names", names);
  const whole =
    pattern === undefined
      ? undefined
      : new RegExp(
          `^(?:${pattern instanceof RegExp ? pattern.source : pattern})$`,
          pattern instanceof RegExp ? pattern.flags.replace(/[gy]/g, "") : "",
        );

  const list = async (): Promise<readonly CaseRef[]> => {
    if (!existsSync(root)) throw new VoxError("the folder of cases must exist", { code: "ERR_READ", where: root });
    const all = found?.list({ root, subset }) ?? [];
    const cases = whole ? all.filter(({ id }) => whole.test(id)) : all;
    if (cases.length === 0) {
      const wanted = (found ? [found] : candidates).map(({ looksFor }) => looksFor).join(" or ");
      const filter = whole && all.length > 0 ? ` whose id matches ${whole.source} (${all.length} cases do not)` : "";
      throw new VoxError(`the folder must hold cases: ${wanted}${filter}, got none`, { code: "ERR_EMPTY", where: root });
    }
    return sortedById(cases, root);
  };
  return { classes: names, channels: channels ?? facts.channels ?? 1, list };
}

/** Sorted by code units: the same on every machine, whatever its language. */
export function sortedById(cases: readonly CaseRef[], root: string): readonly CaseRef[] {
  const sorted = [...cases].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  requireCaseIds(sorted, root);
  return sorted;
}
