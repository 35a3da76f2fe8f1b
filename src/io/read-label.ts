import { VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { elementCount } from "../core/shape.js";
import type { DecodeReport } from "../kernels/decode/reference.js";
import { formatNamed } from "./formats.js";
import { fileIndex, requireLength } from "./read-volume.js";
import type { VolumeHeader } from "./volume-format.js";

export interface ReadLabelOptions {
  /** Class names; label values must be below their number. Without it every value that fits the target is fine. */
  readonly classes?: readonly string[];
  /** As for `readVolume`. */
  readonly isStopped?: () => boolean;
}

/** Uint8 up to 256 classes, else uint16. */
export function labelDtype(classes: number): "uint8" | "uint16" {
  return classes <= 256 ? "uint8" : "uint16";
}

/**
 * Reads a label map into `target` in canonical orientation and checks every value. Synchronous, for worker threads.
 *
 * @shape target (D, H, W, 1)
 * @label integers from 0 to classes - 1
 * @returns the label values that occur, ascending
 * @throws `ERR_OPTION`; `ERR_LABEL` for values that are no integers or no declared class; `ERR_HEADER` when the file has more than one channel; and
 * what `readVolume` throws
 * @example
 * const header = await readHeader("data/kits19/case_00000/segmentation.nii.gz");
 * const labels = new Uint8Array(elementCount(header.shape));
 * readLabel(header, labels, { classes: ["background", "kidney", "tumor"] });
 */
export function readLabel(
  header: VolumeHeader,
  target: Uint8Array | Uint16Array,
  { classes, isStopped, ...unknown }: ReadLabelOptions = {},
): number[] {
  requireKnownOptions("readLabel", unknown, ["classes", "isStopped"]);
  if (header.shape[3] !== 1)
    throw new VoxError(`a label map must have one channel, got ${header.shape[3]}`, { code: "ERR_HEADER", where: header.path });
  requireLength(target, header.shape, header.path);
  const { plan } = header.encoding;
  const stored = header.labels && holdsLarge(header.labels) && target instanceof Uint8Array ? new Uint16Array(target.length) : target;
  const report = formatNamed(header.format).read(header, stored, plan, isStopped);
  const values = header.labels ? mapStored(stored, target, report, header.labels, header.path) : report.labels();
  if (report.odd > 0) {
    const odd = report.oddValues.sort((a, b) => a - b);
    const { i, j, k } = fileIndex(report.firstOdd, plan.shape);
    const top = classes ? classes.length - 1 : target instanceof Uint8Array ? 255 : 65535;
    throw new VoxError(
      `labels must be integers from 0 to ${top}, got ${odd.join(", ")}${report.isOddFull ? ", ..." : ""} in ${report.odd} of ${elementCount(plan.shape)} voxels, the first at i=${i} j=${j} k=${k}`,
      { code: "ERR_LABEL", where: header.path },
    );
  }
  const undeclared = classes ? values.filter((value) => value >= classes.length) : [];
  if (classes && undeclared.length > 0) {
    throw new VoxError(
      `labels must be declared classes (${classes.map((name, value) => `${value} ${name}`).join(", ")}), got also ${listed(undeclared)}; ${adviceFor(values)}`,
      { code: "ERR_LABEL", where: header.path },
    );
  }
  return values;
}

/** Masks of 0 and 255 are drawn for eyes, and the most frequent mistake there is. */
function adviceFor(values: readonly number[]): string {
  const top = values.at(-1)!;
  if ((top === 255 || top === 65535) && values.every((value) => value === 0 || value === top))
    return `a mask of 0 and ${top} is read with labels: { ${top}: 1 } where the cases are declared (--map-labels ${top}=1)`;
  return "declare them, or map labels with mapLabels";
}

/** Whether a stored value has no room in a byte. */
function holdsLarge(labels: Readonly<Record<string, number>>): boolean {
  return Object.keys(labels).some((value) => Number(value) > 255);
}

/** Gives stored values their classes, and returns the classes that occur, ascending. */
function mapStored(
  stored: Uint8Array | Uint16Array,
  target: Uint8Array | Uint16Array,
  report: DecodeReport,
  labels: Readonly<Record<string, number>>,
  path: string,
): number[] {
  const top = target instanceof Uint8Array ? 255 : 65535;
  const classOf = Uint16Array.from({ length: stored instanceof Uint8Array ? 256 : 65536 }, (_, value) => labels[value] ?? value);
  const values = [...new Set(report.labels().map((value) => classOf[value]!))].sort((a, b) => a - b);
  const beyond = values.find((value) => value > top);
  if (beyond !== undefined) throw new VoxError(`labels must be integers from 0 to ${top}, got ${beyond}`, { code: "ERR_LABEL", where: path });
  for (let i = 0; i < stored.length; i++) target[i] = classOf[stored[i]!]!;
  return values;
}

function listed(values: readonly number[]): string {
  return values.length > 20 ? `${values.slice(0, 20).join(", ")}, ... (${values.length} values)` : values.join(", ");
}
