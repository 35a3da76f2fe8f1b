import type { CaseRef, DataSet } from "../core/case.js";
import type { ErrorCode } from "../core/error-codes.js";
import { errorMessage, isVoxError } from "../core/errors.js";
import { elementCount } from "../core/shape.js";
import { labelCounts } from "../kernels/label-counts/label-counts.js";
import type { CaseTask } from "./each-case.js";
import { type LoadedCase, loadCase } from "./load-case.js";
import { labelDtype, readLabel } from "./read-label.js";
import { readLabelHeader } from "./read-label-header.js";

export interface CaseFinding {
  readonly id: string;
  /** The file at fault, where it is one. */
  readonly file?: string;
  /** An error stops training; a warning may be meant so. */
  readonly severity: "error" | "warning";
  readonly code?: string;
  readonly message: string;
  readonly fix: string;
}

/** Whether a case without a label is an error. */
export interface VerifyCaseOptions {
  readonly needsLabel: boolean;
}

/** What to do about each kind of fault. */
const FIXES: Partial<Readonly<Record<ErrorCode, string>>> = {
  ERR_READ: "check the path and its permissions",
  ERR_FORMAT: "replace the file by one of a format that is read (docs/data.md lists them), or convert it first",
  ERR_TRUNCATED: "copy or download the file again",
  ERR_CHECKSUM: "copy or download the file again; if it stays, the original is damaged",
  ERR_HEADER: "write the file again with the tool that made it, with a valid header",
  ERR_GEOMETRY: "resample the label onto the image's grid (nearest neighbor), or copy the image's affine when only the header is wrong",
  ERR_LABEL: "declare all classes, or map labels with mapLabels",
  ERR_VALUES: 'repair the voxels, or load with nonFinite: "replace"',
  ERR_SHAPE: "set channels where the cases are declared, or remove the case",
  ERR_DATA: "correct the layout of the folder or the manifest",
};

/**
 * The task of a worker thread, which finds it by name: `verifyCase` of the data set that the payload describes.
 *
 * @public
 */
export function verifyCaseTask({ ref, classes, channels, options }: CaseTask<VerifyCaseOptions>): Promise<CaseFinding[]> {
  return verifyCase({ classes, channels, list: async () => [ref] }, ref, options);
}

/** Reads every file of a case completely and lists what is wrong or suspicious. */
export async function verifyCase(dataset: DataSet, ref: CaseRef, { needsLabel }: VerifyCaseOptions): Promise<CaseFinding[]> {
  const findings: CaseFinding[] = [];
  if (ref.label === undefined && !dataset.read) {
    findings.push({
      id: ref.id,
      ...(ref.images[0] === undefined ? {} : { file: ref.images[0] }),
      severity: needsLabel ? "error" : "warning",
      code: "ERR_LABEL",
      message: `${ref.images[0] ?? ref.id}: a case must have a label file, got none`,
      fix: "add the label beside the image, or leave the case out of training",
    });
  }
  let image: LoadedCase | undefined;
  try {
    image = await loadCase(dataset, ref, { classes: dataset.classes });
  } catch (error) {
    findings.push(failure(ref.id, error));
    // What is wrong with one file must not hide what is wrong with another.
    findings.push(...(await eachFileAlone(dataset, ref, error)));
  }
  if (image) findings.push(...oddities(image, ref));
  return findings;
}

/** Reads image and label one without the other, and lists faults beyond the one that is known. */
async function eachFileAlone(dataset: DataSet, ref: CaseRef, known: unknown): Promise<CaseFinding[]> {
  const { label, ...withoutLabel } = ref;
  if (dataset.read || label === undefined) return [];
  const findings: CaseFinding[] = [];
  const attempt = async (read: () => Promise<unknown>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      if (errorMessage(error) !== errorMessage(known)) findings.push(failure(ref.id, error));
    }
  };
  await attempt(() => loadCase(dataset, withoutLabel));
  await attempt(async () => {
    const header = await readLabelHeader(label, ref.reading);
    const Label = labelDtype(dataset.classes.length) === "uint8" ? Uint8Array : Uint16Array;
    readLabel(header, new Label(elementCount(header.shape)), { classes: dataset.classes });
  });
  return findings;
}

function failure(id: string, error: unknown): CaseFinding {
  const code = isVoxError(error) ? error.code : undefined;
  return {
    id,
    ...(isVoxError(error) ? { file: error.where, code: error.code } : {}),
    severity: "error",
    message: errorMessage(error),
    fix: (code && FIXES[code]) ?? "see the message",
  };
}

/** Valid, but rarely meant so. */
function oddities({ id, image, label, geometry, shape }: LoadedCase, ref: CaseRef): CaseFinding[] {
  const findings: CaseFinding[] = [];
  const warn = (file: string | undefined, message: string, fix: string): void => {
    findings.push({ id, ...(file === undefined ? {} : { file }), severity: "warning", message: `${file ?? id}: ${message}`, fix });
  };
  const first = image[0];
  if (image.every((value) => value === first))
    warn(ref.images[0], `all voxels have the same value ${first}`, "check that the image was exported with its data");
  if (label) {
    const counts = labelCounts(label);
    if (counts.length === 1) warn(ref.label, "the label map has no foreground", "check the label; skipBlank leaves such patches out");
  }
  const spacing = [...geometry.spacing];
  if (Math.max(...spacing) > 10 * Math.min(...spacing) && shape[0] > 1) {
    warn(
      ref.images[0],
      `the voxel sides differ by more than 10 times (${spacing.map((side) => Number(side.toPrecision(4))).join(" x ")} mm)`,
      "check the header; resample to a common spacing",
    );
  }
  if (Math.min(...spacing) < 0.01 || Math.max(...spacing) > 50) {
    warn(
      ref.images[0],
      `a voxel side of ${spacing.map((side) => Number(side.toPrecision(4))).join(" x ")} mm is unusual`,
      "check that the header gives millimeters",
    );
  }
  return findings;
}
