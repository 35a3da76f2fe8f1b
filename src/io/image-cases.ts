import { existsSync } from "node:fs";
import type { CaseRef, DataSet } from "../core/case.js";
import { requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { caseReading, type ReadingOptions } from "./case-reading.js";
import type { CaseLayout, LayoutOptions } from "./layouts/case-layout.js";
import { csvLayout } from "./layouts/csv-layout.js";
import { foldersLayout } from "./layouts/folders-layout.js";
import { kitsLayout } from "./layouts/kits-layout.js";
import { msdLayout } from "./layouts/msd-layout.js";
import { nnunetLayout } from "./layouts/nnunet-layout.js";
import { pictureChannels } from "./planar/picture-channels.js";
import { sortedById } from "./sorted-by-id.js";

export interface ImageCasesOptions extends ReadingOptions {
  /** Folder of the data set, or a CSV manifest. */
  readonly root: string;
  /** Class names, index = label value, the first is the background; default: what `dataset.json` says. */
  readonly classes?: readonly string[];
  /** `auto` takes the first layout that the folder looks like: csv, nnunet, msd, folders, kits. */
  readonly layout?: "auto" | "kits" | "nnunet" | "msd" | "folders" | "csv";
  /** Channels of every case; default: what `dataset.json` or the manifest says, else 3 where the first image is a color picture, else 1. */
  readonly channels?: number;
  /** Only cases whose whole id matches. */
  readonly pattern?: RegExp | string;
  /** `test` takes `imagesTs` where the layout has it. */
  readonly subset?: "train" | "test";
}

/** In the order in which `auto` tries them: the most specific first. */
const LAYOUTS: readonly CaseLayout[] = [csvLayout, nnunetLayout, msdLayout, foldersLayout, kitsLayout];

/**
 * A data set of files on disk, read where it lies: KiTS, nnU-Net raw, Medical Segmentation Decathlon, two folders, or a CSV manifest, of NIfTI, NRRD or
 * MetaImage volumes, TIFF stacks, or pictures (PNG, TIFF, JPEG, BMP, GIF). A case without a label file has no label; cases come sorted by id.
 *
 * @label as stored, or as `labels` says

 * @throws `ERR_OPTION` for a wrong option; on `list()`: `ERR_READ` when the root does not exist, `ERR_EMPTY` with the layouts looked for when there is no
 * case, `ERR_DATA` when two cases have the same id, or one has an id that cannot be a file name
 * @example
 * const cells = imageCases({ root: "data/cells", classes: ["background", "cell"], labels: { 255: 1 } });
 */
export function imageCases(options: ImageCasesOptions): DataSet {
  return casesOf("imageCases", options);
}

/** `imageCases` under the name that messages give. */
export function casesOf(where: string, options: ImageCasesOptions): DataSet {
  requireKnownOptions(where, options, ["root", "classes", "layout", "channels", "pattern", "subset", "labels", "color", "spacing"]);
  const { root, classes, layout = "auto", channels, pattern, subset = "train" } = options;
  requireOption(typeof root === "string" && root !== "", where, "root", "a path", root);
  requireOption(["auto", ...LAYOUTS.map(({ name }) => name)].includes(layout), where, "layout", "auto, kits, nnunet, msd, folders or csv", layout);
  requireOption(channels === undefined || (Number.isInteger(channels) && channels > 0), where, "channels", "a positive integer", channels);
  requireOption(subset === "train" || subset === "test", where, "subset", '"train" or "test"', subset);
  const candidates = layout === "auto" ? LAYOUTS : LAYOUTS.filter(({ name }) => name === layout);
  const found = existsSync(root) ? candidates.find((candidate) => layout !== "auto" || candidate.matches(root)) : undefined;
  const facts = found?.facts(root) ?? {};
  const names = classes ?? facts.classes;
  requireOption(names !== undefined && names.length >= 2, where, "classes", "a list of at least two class names (dataset.json gives none)", names);
  requireOption(new Set(names).size === names.length, where, "classes", "different names", names);
  const reading = caseReading(where, options, names);
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
    return sortedById(reading ? cases.map((one) => ({ ...one, reading })) : cases, root);
  };
  const pictured = (): number | undefined => (options.color === "gray" || !found ? undefined : firstPicture(found, { root, subset }));
  return { classes: names, channels: channels ?? (facts.channels === 1 ? undefined : facts.channels) ?? pictured() ?? 1, list };
}

/** Channels of the first case, where it is one picture. */
function firstPicture(layout: CaseLayout, options: LayoutOptions): number | undefined {
  try {
    const [first, ...others] = layout.list(options).reduce<readonly string[]>((images, ref) => (images.length > 0 ? images : ref.images), []);
    return first === undefined || others.length > 0 ? undefined : pictureChannels(first);
  } catch {
    // What is wrong with the list is said where it is asked for.
    return undefined;
  }
}
