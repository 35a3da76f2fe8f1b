import { VoxError } from "../../core/errors.js";
import type { Affine } from "../../core/geometry.js";
import { type DecodePlan, DecodeReport, type DecodeTarget } from "../../kernels/decode/reference.js";
import { fillContours, type PixelContour } from "./fill-contours.js";
import { gridIndex } from "./grid-index.js";
import { readContours, type StructureContours } from "./read-structures.js";

/** Structures to draw; plain data, for worker threads. */
export interface StoredStructures {
  readonly path: string;
  /** Number and label of each. */
  readonly labels: readonly (readonly [number: number, label: number])[];
  readonly affine: Affine;
}

/** Contours are drawn on slices; what lies this share of a gap beside one was drawn on others. */
const SLICE_TOLERANCE = 0.25;

/**
 * Draws contours as a label map. Where structures overlap the larger label wins, in whatever order the file has them; slices without a contour stay background.
 *
 * @label 0 outside
 * @throws `ERR_GEOMETRY` for a contour that lies on no slice; `ERR_STOPPED`; and what reading throws
 */
export function drawStructures(
  { path, labels, affine }: StoredStructures,
  target: DecodeTarget,
  plan: DecodePlan,
  isStopped?: () => boolean,
): DecodeReport {
  const report = new DecodeReport();
  const { shape, strides, offset } = plan;
  target.fill(0);
  const structures = [...readContours(path, new Map(labels))].sort((a, b) => a.label - b.label);
  const toIndex = gridIndex(affine);
  for (const structure of structures) {
    for (const [k, contours] of bySlice(structure, toIndex, shape[2], path)) {
      if (isStopped?.()) throw new VoxError("the reading was stopped", { code: "ERR_STOPPED", where: path });
      fillContours(contours, shape[0], shape[1], (row, from, to) => {
        let at = offset + from * strides[0] + row * strides[1] + k * strides[2];
        // Labels come in ascending order.
        for (let i = from; i < to; i++, at += strides[0]) target[at] = structure.label;
      });
    }
  }
  for (let n = 0; n < target.length; n++) report.seen[target[n]!] = 1;
  return report;
}

function bySlice(
  { name, contours }: StructureContours,
  toIndex: ReturnType<typeof gridIndex>,
  slices: number,
  path: string,
): ReadonlyMap<number, readonly PixelContour[]> {
  const found = new Map<number, PixelContour[]>();
  for (const points of contours) {
    const contour: number[] = [];
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let n = 0; n < points.length; n += 3) {
      const [i, j, k] = toIndex(points[n]!, points[n + 1]!, points[n + 2]!);
      contour.push(i, j);
      low = Math.min(low, k);
      high = Math.max(high, k);
    }
    if (contour.length < 6) continue;
    const slice = Math.round((low + high) / 2);
    if (low < slice - SLICE_TOLERANCE || high > slice + SLICE_TOLERANCE || slice < 0 || slice >= slices) {
      const place = points.slice(0, 3).join("\\");
      throw new VoxError(
        `each contour must lie in one of the ${slices} slices, got one of ${name} from slice ${low.toFixed(2)} to ${high.toFixed(2)}, counted from 0 (at ${place}); was it drawn on another series?`,
        { code: "ERR_GEOMETRY", where: path },
      );
    }
    const own = found.get(slice);
    if (own) own.push(contour);
    else found.set(slice, [contour]);
  }
  return found;
}
