import type { CaseReading } from "../core/case.js";
import { requireOption } from "../core/errors.js";
import type { Triple } from "../core/shape.js";

/** Options of data sets that say how files are to be understood. */
export interface ReadingOptions {
  /** Stored label value → class, such as `{ 255: 1 }` for masks of 0 and 255; values that are not named stay as they are. */
  readonly labels?: Readonly<Record<string, number>>;
  /** `"gray"`: color pictures become one channel, their brightness (0.299 red + 0.587 green + 0.114 blue). */
  readonly color?: "gray";
  /** Voxel size `[z, y, x]` in mm of pictures and TIFF stacks, in place of what their files say; default: that, or 1 mm. */
  readonly spacing?: Triple;
}

/**
 * What a `CaseRef` carries of these options; undefined when they are all left out.
 *
 * @throws `ERR_OPTION`
 */
export function caseReading(where: string, { labels, color, spacing }: ReadingOptions, classes?: readonly string[]): CaseReading | undefined {
  const isNatural = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65535;
  requireOption(
    labels === undefined ||
      Object.entries(labels).every(([stored, label]) => String(Number(stored)) === stored && isNatural(Number(stored)) && isNatural(label)),
    where,
    "labels",
    "classes by stored value, both integers from 0 to 65535, such as { 255: 1 }",
    labels,
  );
  const beyond = labels && classes && classes.length > 0 && Object.values(labels).some((label) => label >= classes.length);
  requireOption(!beyond, where, "labels", `classes from 0 to ${(classes?.length ?? 0) - 1}`, labels);
  requireOption(color === undefined || color === "gray", where, "color", '"gray" or left out', color);
  requireOption(
    spacing === undefined || (Array.isArray(spacing) && spacing.length === 3 && spacing.every((side) => Number.isFinite(side) && side > 0)),
    where,
    "spacing",
    "three lengths above 0 mm, [z, y, x]",
    spacing,
  );
  if (labels === undefined && color === undefined && spacing === undefined) return undefined;
  return { ...(labels && { labels }), ...(color && { gray: true }), ...(spacing && { spacing }) };
}
