import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { CaseRef, DataSet } from "../../core/case.js";
import { requireOption, VoxError } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { sortedById } from "../sorted-by-id.js";
import { dicomAddress, type SeriesAddress } from "./dicom-address.js";
import { dicomKind, isDicomName } from "./dicom-kind.js";
import type { SeriesChoice } from "./dicom-series.js";
import { FILES_PER_TURN, filesBelow, holdsDicom } from "./files-below.js";

export interface DicomCasesOptions {
  /** Folder with one folder for each case, at any depth below it; or the folder or file of one case. */
  readonly root: string;
  /** Class names, index = label value, the first is the background. */
  readonly classes: readonly string[];
  /** Label of each structure (ROI) of RTSTRUCT files or segment of SEG files, by name; default: the names of the classes. */
  readonly structures?: Readonly<Record<string, number>>;
  /** What a structure is that a case lacks: an error (default), or background. */
  readonly missing?: "fail" | "background";
  /** Which series, where a case has several: its SeriesInstanceUID or SeriesDescription, or a pattern for the description. Several of them are the channels. */
  readonly series?: SeriesChoice | readonly SeriesChoice[];
  /** Which label file, where a case has several: a pattern for its path below the case's folder. */
  readonly annotation?: RegExp | string;
  /** Voxels that stand for no measurement (PixelPaddingValue) get the smallest value of the others (default), or keep theirs. */
  readonly padding?: "minimum" | "keep";
  /** Default: the number of series, else 1; 3 for color. */
  readonly channels?: number;
  /** Only cases whose whole id matches. */
  readonly pattern?: RegExp | string;
}

const OPTIONS = ["root", "classes", "structures", "missing", "series", "annotation", "padding", "channels", "pattern"] as const;

/**
 * A data set of DICOM files, read where they lie: a folder for each case, with a series of slices or a file of many frames, and beside it an RTSTRUCT, SEG,
 * NIfTI, NRRD or MetaImage file as label. Files are known by their content. A case without a label file has no label; cases come sorted by id, which is the name of the folder.
 *
 * @label drawn on the grid of the series; where structures overlap the larger label wins
 * @throws `ERR_OPTION` for a wrong option; on `list()`: `ERR_READ` when the root does not exist, `ERR_EMPTY` when there is no case, `ERR_DATA` when it is not
 * clear which label file belongs to a case
 * @example
 * const data = dicomCases({ root: "data/lctsc", classes: ["background", "lung", "heart"], structures: { Lung_L: 1, Lung_R: 1, Heart: 2 } });
 */
export function dicomCases(options: DicomCasesOptions): DataSet {
  requireKnownOptions("dicomCases", options, OPTIONS);
  const { root, classes, missing = "fail", series, padding = "minimum", channels } = options;
  const check = (holds: boolean, option: keyof DicomCasesOptions, rule: string): void =>
    requireOption(holds, "dicomCases", option, rule, options[option]);
  check(typeof root === "string" && root !== "", "root", "a path");
  check(Array.isArray(classes) && classes.length >= 2, "classes", "a list of at least two class names");
  check(new Set(classes).size === classes.length, "classes", "different names");
  const structures = options.structures ?? Object.fromEntries(classes.slice(1).map((name, n) => [name, n + 1]));
  check(
    Object.keys(structures).length > 0 && Object.values(structures).every((label) => Number.isInteger(label) && label >= 1 && label < classes.length),
    "structures",
    `labels from 1 to ${classes.length - 1} by name`,
  );
  check(missing === "fail" || missing === "background", "missing", '"fail" or "background"');
  check(padding === "minimum" || padding === "keep", "padding", '"minimum" or "keep"');
  check(channels === undefined || (Number.isInteger(channels) && channels > 0), "channels", "a positive integer");
  const choices: readonly (SeriesChoice | undefined)[] = Array.isArray(series) ? series : [series as SeriesChoice | undefined];
  check(
    choices.length > 0 &&
      choices.every(
        (choice) => choice instanceof RegExp || (typeof choice === "string" && choice !== "") || (choice === undefined && choices.length === 1),
      ),
    "series",
    "a SeriesInstanceUID, a SeriesDescription or a pattern, or a list of them",
  );
  const wanted = whole(options.pattern);
  const annotation = options.annotation === undefined ? undefined : plain(new RegExp(options.annotation));

  let found: Promise<readonly CaseRef[]> | undefined;
  const search = async (): Promise<readonly CaseRef[]> => {
    const folders = dicomFolders(root).filter(({ id }) => wanted?.test(id) ?? true);
    if (folders.length === 0) {
      throw new VoxError(
        `the folder must hold cases: a folder of DICOM files for each${wanted ? `, with an id that matches ${wanted.source}` : ""}, got none`,
        {
          code: "ERR_EMPTY",
          where: root,
        },
      );
    }
    const refs: CaseRef[] = [];
    for (const { id, path } of folders) {
      const addresses = choices.map(
        (choice): SeriesAddress => ({ path, ...(choice !== undefined && { series: choice }), ...(padding === "keep" && { padding }) }),
      );
      const file = await labelFile(path, id, annotation);
      const label =
        file === undefined || isVolume(file)
          ? file
          : dicomAddress({ path: file, of: addresses[0]!, structures, ...(missing === "background" && { missing }) });
      refs.push({ id, images: addresses.map(dicomAddress), ...(label !== undefined && { label }) });
    }
    return sortedById(refs, root);
  };
  const list = (): Promise<readonly CaseRef[]> => {
    // Every file is looked at, so once; a failure may have been repaired when it is asked for again.
    found ??= search().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  return { classes, channels: channels ?? choices.length, list };
}

/** Images to predict: cases as `dicomCases` has them, without labels and without a look at more than the first DICOM file of each. */
export function dicomImages(root: string): CaseRef[] {
  return dicomFolders(root).map(({ id, path }) => ({ id, images: [dicomAddress({ path })] }));
}

/** The folders of cases, or the one case that the root is: a file, or a folder with DICOM files of its own. */
function dicomFolders(root: string): { readonly id: string; readonly path: string }[] {
  if (!existsSync(root)) throw new VoxError("the folder of cases must exist", { code: "ERR_READ", where: root });
  const name = basename(resolve(root));
  if (!statSync(root).isDirectory()) return holdsDicom(root) ? [{ id: isDicomName(name) ? name.replace(/\.[^.]+$/, "") : name, path: root }] : [];
  const entries = readdirSync(root, { withFileTypes: true }).filter((entry) => !entry.name.startsWith("."));
  const isFolder = (entry: (typeof entries)[number]): boolean =>
    entry.isDirectory() || (entry.isSymbolicLink() && isFolderAt(join(root, entry.name)));
  const folders = entries.filter(isFolder);
  // A directory of the medium (DICOMDIR) beside the folders makes no case of them.
  const files = entries.filter((entry) => !isFolder(entry) && entry.name.toUpperCase() !== "DICOMDIR");
  if (files.some((entry) => holdsDicom(join(root, entry.name)))) return [{ id: name, path: root }];
  return folders.map((entry) => ({ id: entry.name, path: join(root, entry.name) })).filter(({ path }) => holdsDicom(path));
}

function isFolderAt(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isVolume(path: string): boolean {
  return /\.(nii(\.gz)?|nrrd|nhdr|mha|mhd)$/i.test(path);
}

async function labelFile(folder: string, id: string, annotation: RegExp | undefined): Promise<string | undefined> {
  const found: string[] = [];
  for (const [n, path] of filesBelow(folder).entries()) {
    if (n % FILES_PER_TURN === FILES_PER_TURN - 1) await setImmediate();
    if ((isVolume(path) || isLabel(path)) && (annotation?.test(relative(folder, path)) ?? true)) found.push(path);
  }
  if (found.length <= 1) return found[0];
  throw new VoxError(
    `a case must have one label file (RTSTRUCT, SEG, NIfTI, NRRD or MetaImage), or annotation must say which is meant, got ${found.map((path) => relative(folder, path)).join(", ")}`,
    { code: "ERR_DATA", where: folder, sampleId: id },
  );
}

function isLabel(path: string): boolean {
  try {
    const kind = dicomKind(path);
    return kind === "structures" || kind === "segmentation";
  } catch {
    // A damaged file is for whoever reads the case to report.
    return false;
  }
}

function whole(pattern: RegExp | string | undefined): RegExp | undefined {
  return pattern === undefined ? undefined : plain(new RegExp(`^(?:${pattern instanceof RegExp ? pattern.source : pattern})$`, flagsOf(pattern)));
}

/** Without the flags that make a pattern remember where it was. */
function plain(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
}

function flagsOf(pattern: RegExp | string): string {
  return pattern instanceof RegExp ? pattern.flags : "";
}
