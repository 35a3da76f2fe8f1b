import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { CaseRef, DataSet } from "../core/case.js";
import { requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { caseReading, type ReadingOptions } from "./case-reading.js";
import { dicomAddress } from "./dicom/dicom-address.js";
import { dicomImages } from "./dicom/dicom-cases.js";
import { isDicomFolder } from "./dicom/is-dicom-folder.js";
import { formatOf } from "./formats.js";
import { kitsLayout } from "./layouts/kits-layout.js";
import { groupChannels } from "./layouts/nnunet-layout.js";
import { volumeFiles, volumeStem } from "./layouts/volume-files.js";
import { sortedById } from "./sorted-by-id.js";

export interface PlainFolderOptions extends Omit<ReadingOptions, "labels"> {
  /** A folder of volumes or pictures of any format that is read, one such file, or a folder of KiTS or DICOM cases. */
  readonly root: string;
  /** Above 1, files that end in `_0000`, `_0001`, ... are the channels of one case. */
  readonly channels?: number;
}

/**
 * Images to predict, without labels.
 *
 * @throws `ERR_OPTION`; on `list()`: `ERR_READ` when the path does not exist, `ERR_EMPTY` when it holds no images
 * @example
 * const images = plainFolder({ root: "incoming" });
 */
export function plainFolder({ root, channels = 1, color, spacing, ...unknown }: PlainFolderOptions): DataSet {
  requireKnownOptions("plainFolder", unknown, ["root", "channels", "color", "spacing"]);
  requireOption(typeof root === "string" && root !== "", "plainFolder", "root", "a path", root);
  requireOption(Number.isInteger(channels) && channels > 0, "plainFolder", "channels", "a positive integer", channels);
  const reading = caseReading("plainFolder", { ...(color && { color }), ...(spacing && { spacing }) });
  const list = async (): Promise<readonly CaseRef[]> => {
    if (!existsSync(root)) throw new VoxError("the input must exist", { code: "ERR_READ", where: root });
    const cases = isDicomFolder(root)
      ? withOthers(dicomImages(root), root, channels)
      : statSync(root).isFile()
        ? [{ id: volumeStem(basename(root)), images: [root] }]
        : inFolder(root, channels);
    if (cases.length === 0) {
      throw new VoxError(
        `the folder must hold images: volumes (*.nii.gz, *.nrrd, *.mha, ...) or pictures (*.png, *.tif, ...), a folder of DICOM files for each case, or ${kitsLayout.looksFor}, got none`,
        {
          code: "ERR_EMPTY",
          where: root,
        },
      );
    }
    return sortedById(reading ? cases.map((one) => ({ ...one, reading })) : cases, root);
  };
  return { classes: [], channels, list };
}

/** DICOM cases with the volumes beside their folders. What lies beside the slices of one case belongs to it; where names are equal DICOM counts. */
function withOthers(cases: readonly CaseRef[], root: string, channels: number): CaseRef[] {
  if (cases.some(({ images }) => images[0] === dicomAddress({ path: root }))) return [...cases];
  const others = inFolder(root, channels).filter(({ id, images }) => !formatOf(images[0]!).isPlanar && !cases.some((one) => one.id === id));
  return [...cases, ...others];
}

function inFolder(root: string, channels: number): CaseRef[] {
  const cases = kitsLayout.list({ root, subset: "test" });
  if (cases.length > 0) return cases.map(({ id, images }) => ({ id, images }));
  const grouped = channels > 1 ? groupChannels(root) : [];
  if (grouped.length > 0) return grouped;
  return volumeFiles(root).map((name) => ({ id: volumeStem(name), images: [join(root, name)] }));
}
