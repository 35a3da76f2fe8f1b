import { relative } from "node:path";
import { VoxError } from "../../core/errors.js";
import type { Affine } from "../../core/geometry.js";
import { affineOf } from "../affine-of.js";
import type { DicomImage, DicomPlane, PixelFormat, Vector3 } from "./dicom-image.js";
import type { DicomSeries } from "./dicom-series.js";

/** One slice of a volume: a frame of a file. */
export interface SeriesSlice {
  readonly image: DicomImage;
  readonly frame: number;
  readonly plane: DicomPlane;
}

export interface SeriesGrid {
  /** Columns, rows, slices. */
  readonly shape: readonly [number, number, number];
  /** (column, row, slice, 1) → RAS+ mm. */
  readonly affine: Affine;
  /** 2 for a picture without a place in the patient. */
  readonly dimensions: 2 | 3;
  /** In the order of the third axis. */
  readonly slices: readonly SeriesSlice[];
}

/** Rounded positions differ by less than a twentieth of the gap, or of a millimeter where gaps are wide enough to tell a slice that is missing. */
const PLACE_TOLERANCE = 0.05;
const DIRECTION_TOLERANCE = 1e-3;
const SPACING_TOLERANCE = 1e-3;
/** Slices that slide by more than this share of their gap are a tilted gantry; less is how positions are rounded. */
const TILT_TOLERANCE = 0.005;

/**
 * Sorts the slices of a series by their position along the common normal, and makes sure that they are one regular grid: never by names or numbers, which
 * say nothing of the place.
 *
 * @units mm
 * @throws `ERR_GEOMETRY` for slices that are missing, doubled, unequal, tilted or without a place; `ERR_DATA` for slices that do not belong together; each
 * with the files
 * @source DICOM PS3.3, C.7.6.2.1.1, equation C.7.6.2.1-1
 */
export function seriesGrid({ images }: DicomSeries, folder: string): SeriesGrid {
  const slices = images.flatMap((image) => image.planes.map((plane, frame): SeriesSlice => ({ image, frame, plane })));
  const first = slices[0]!;
  if (slices.length === 1 && !first.plane.position && !first.plane.orientation) return planarGrid(first);
  for (const slice of slices) requireAlike(first, slice, folder);
  const normal = cross(first.plane.orientation!);
  const placed = slices.map((slice) => ({ slice, at: dot(slice.plane.position!, normal) })).sort((a, b) => a.at - b.at);
  const ordered = placed.map(({ slice }) => slice);
  requireDistinct(placed, folder);
  const { rows, columns } = first.image.format;
  const step = ordered.length === 1 ? scaled(normal, first.plane.thickness ?? 1) : sliceStep(placed, normal, folder);
  return {
    shape: [columns, rows, ordered.length],
    affine: patientAffine(ordered[0]!.plane, step),
    dimensions: 3,
    slices: ordered,
  };
}

/** A radiograph or a photograph: placed as the pictures of other formats, with the size of its pixels where that is known. */
function planarGrid(slice: SeriesSlice): SeriesGrid {
  const { rows, columns } = slice.image.format;
  const [betweenRows, betweenColumns] = slice.plane.spacing ?? [1, 1];
  return {
    shape: [columns, rows, 1],
    affine: affineOf([[betweenColumns], [0, betweenRows], [0, 0, 1]], []),
    dimensions: 2,
    slices: [slice],
  };
}

/** Columns of the matrix are one step along a row, along a column, and to the next slice; x and y change their sign from LPS+ to RAS+. */
export function patientAffine({ position, orientation, spacing }: DicomPlane, step: Vector3): Affine {
  const [betweenRows, betweenColumns] = spacing!;
  const o = orientation!;
  const row = (axis: 0 | 1 | 2): readonly [number, number, number, number] => {
    const sign = axis === 2 ? 1 : -1;
    // A sum with 0 leaves no negative zeros.
    const value = (number: number): number => sign * number + 0;
    return [value(o[axis]! * betweenColumns), value(o[3 + axis]! * betweenRows), value(step[axis]), value(position![axis])];
  };
  return [...row(0), ...row(1), ...row(2), 0, 0, 0, 1];
}

function requireAlike(first: SeriesSlice, slice: SeriesSlice, folder: string): void {
  const where = slice.image.path;
  const fail = (sentence: string, code: "ERR_GEOMETRY" | "ERR_DATA"): VoxError => new VoxError(sentence, { code, where });
  const reference = nameOf(first, folder);
  const { plane } = slice;
  const frame = slice.image.planes.length > 1 ? ` of frame ${slice.frame + 1}` : "";
  if (!plane.position || !plane.orientation) {
    throw fail(`the place${frame} must be given by ImagePositionPatient and ImageOrientationPatient, got none`, "ERR_GEOMETRY");
  }
  if (!plane.spacing) throw fail(`the size of the pixels${frame} must be given by PixelSpacing, got none`, "ERR_GEOMETRY");
  if (slice === first) return;
  const [own, other] = [slice.image.format, first.image.format];
  if (own.rows !== other.rows || own.columns !== other.columns) {
    throw fail(`all slices must have ${other.columns} x ${other.rows} pixels as ${reference}, got ${own.columns} x ${own.rows}`, "ERR_GEOMETRY");
  }
  const angle = Math.max(...plane.orientation.map((value, n) => Math.abs(value - first.plane.orientation![n]!)));
  if (angle > DIRECTION_TOLERANCE) {
    throw fail(
      `all slices must have the orientation of ${reference}, ${first.plane.orientation!.join("\\")}, got ${plane.orientation.join("\\")}`,
      "ERR_GEOMETRY",
    );
  }
  if (plane.spacing.some((side, n) => Math.abs(side / first.plane.spacing![n]! - 1) > SPACING_TOLERANCE)) {
    throw fail(
      `all slices must have the pixel spacing of ${reference}, ${first.plane.spacing!.join(" x ")} mm, got ${plane.spacing.join(" x ")}`,
      "ERR_GEOMETRY",
    );
  }
  for (const [name, value, wanted] of kinds(slice.image, first.image)) {
    if (value !== wanted) throw fail(`all slices must have the ${name} of ${reference}, ${wanted}, got ${value}`, "ERR_DATA");
  }
}

function kinds(own: DicomImage, other: DicomImage): readonly (readonly [string, string | number, string | number])[] {
  const color = ({ photometric, samples }: PixelFormat): string => (samples === 1 ? photometric : "color");
  return [
    ["modality", own.modality, other.modality],
    ["frame of reference", own.frameOfReference ?? "", other.frameOfReference ?? ""],
    ["color", color(own.format), color(other.format)],
  ];
}

interface PlacedSlice {
  readonly slice: SeriesSlice;
  /** Along the normal. */
  readonly at: number;
}

/** Two slices in one place: a file that is there twice, or a series of several times, echoes or directions. */
function requireDistinct(placed: readonly PlacedSlice[], folder: string): void {
  const span = placed.at(-1)!.at - placed[0]!.at;
  const closest = Math.max(1e-3, (0.01 * span) / placed.length);
  const repeats = placed.filter(({ at }, n) => n > 0 && at - placed[n - 1]!.at < closest);
  const [twice] = repeats;
  if (!twice) return;
  const before = placed[placed.indexOf(twice) - 1]!.slice;
  const places = placed.length - repeats.length;
  const hint =
    placed.length % places === 0
      ? `each of the ${places} places has ${placed.length / places} slices, as series of several times, echoes or directions have`
      : `${repeats.length} of ${placed.length} slices repeat a place`;
  throw new VoxError(`each slice must have a place of its own, got the one of ${nameOf(before, folder)}, ${shown(twice.slice)}; ${hint}`, {
    code: "ERR_GEOMETRY",
    where: nameOf(twice.slice),
  });
}

/** The step from slice to slice, the same everywhere and along the normal. */
function sliceStep(placed: readonly PlacedSlice[], normal: Vector3, folder: string): Vector3 {
  const gaps = placed.slice(1).map(({ at }, n) => at - placed[n]!.at);
  const usual = [...gaps].sort((a, b) => a - b)[gaps.length >> 1]!;
  const allowed = Math.max(PLACE_TOLERANCE * usual, Math.min(PLACE_TOLERANCE, 0.2 * usual));
  const fail = (sentence: string): VoxError => new VoxError(sentence, { code: "ERR_GEOMETRY", where: folder });
  const between = (n: number): string => `between ${nameOf(placed[n]!.slice, folder)} and ${nameOf(placed[n + 1]!.slice, folder)}`;
  for (const [n, gap] of gaps.entries()) {
    if (Math.abs(gap - usual) <= 2 * allowed) continue;
    const lost = Math.round(gap / usual) - 1;
    const isWhole = lost > 0 && Math.abs(gap / usual - lost - 1) < 0.1;
    const guess = isWhole ? `: ${lost} ${lost === 1 ? "slice is" : "slices are"} missing` : "";
    throw fail(`all slices must have the same gap, ${short(usual)} mm, got ${short(gap)} mm ${between(n)}${guess}`);
  }
  // Positions are rounded one by one: beyond single gaps the slices must not drift away from where they should be.
  const mean = (placed.at(-1)!.at - placed[0]!.at) / gaps.length;
  for (const [n, { at }] of placed.entries()) {
    const off = Math.abs(at - placed[0]!.at - n * mean);
    if (off > 2 * allowed)
      throw fail(`all slices must have the same gap, ${short(mean)} mm, got gaps from ${short(Math.min(...gaps))} to ${short(Math.max(...gaps))} mm`);
  }
  const [start, end] = [placed[0]!.slice.plane.position!, placed.at(-1)!.slice.plane.position!];
  const step = scaled([end[0] - start[0], end[1] - start[1], end[2] - start[2]], 1 / gaps.length);
  requireUpright(placed, step, normal, mean, folder);
  return step;
}

function requireUpright(placed: readonly PlacedSlice[], step: Vector3, normal: Vector3, gap: number, folder: string): void {
  const aside = Math.hypot(...step.map((value, axis) => value - gap * normal[axis]!));
  if (aside > TILT_TOLERANCE * gap && aside * (placed.length - 1) > 0.1) {
    const degrees = (Math.atan2(aside, gap) * 180) / Math.PI;
    throw new VoxError(
      `slices must lie straight above each other, got a tilt of ${degrees.toFixed(1)}° (a tilted gantry); resample the series to upright slices first`,
      { code: "ERR_GEOMETRY", where: folder },
    );
  }
  const start = placed[0]!.slice.plane.position!;
  for (const [n, { slice }] of placed.entries()) {
    const away = Math.hypot(...slice.plane.position!.map((value, axis) => value - start[axis]! - n * step[axis]!));
    if (away > Math.max(0.1, 0.2 * gap)) {
      throw new VoxError(`slices must lie in one row, got ${shown(slice)}, ${short(away)} mm away from its place`, {
        code: "ERR_GEOMETRY",
        where: nameOf(slice),
      });
    }
  }
}

function nameOf({ image, frame }: SeriesSlice, folder?: string): string {
  const path = (folder === undefined ? image.path : relative(folder, image.path)) || image.path;
  return image.planes.length > 1 ? `${path} frame ${frame + 1}` : path;
}

function shown({ plane }: SeriesSlice): string {
  return `position ${plane.position!.join("\\")}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(5)));
}

function cross(o: readonly number[]): Vector3 {
  const [a, b, c, d, e, f] = o as readonly [number, number, number, number, number, number];
  const normal: Vector3 = [b * f - c * e, c * d - a * f, a * e - b * d];
  return scaled(normal, 1 / Math.hypot(...normal));
}

function scaled(vector: Vector3, by: number): Vector3 {
  return [vector[0] * by, vector[1] * by, vector[2] * by];
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
