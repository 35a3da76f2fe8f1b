import type { RunContext } from "../../core/run-context.js";
import type { Margin } from "../../core/sample.js";
import { spatial, type Triple } from "../../core/shape.js";
import { type SpatialChange, spatialMatrix } from "../../workers/steps/augment-step.js";
import type { SampleLayout } from "../../workers/steps/step.js";
import { drawRandom } from "../chain-run.js";
import { NO_MARGIN, type PatchReach } from "../patch/patch-reach.js";
import type { AugmentPlan } from "./augment-plan.js";
import { drawAugment } from "./draw-augment.js";

/** Voxels that interpolation reads around a coordinate; farther ones weigh less than 3e-5 in a spline's coefficients. */
const TAPS = { 0: 1, 1: 1, 3: 8 } as const;

/** Beyond this many deviations an elastic field is taken to end: one patch in some hundred thousand sees background there that the case would have had. */
const DEVIATIONS = 5;

/** What `augment` sees beyond a patch: for each patch as much as its own draw moves into view. */
export function augmentReach(plan: AugmentPlan): PatchReach {
  return {
    margin: (sample, layout, position, context) => {
      const cycles = plan.cycles === 1 ? [undefined] : Array.from({ length: plan.cycles }, (_, cycle) => cycle);
      return cycles.map((cycle) => marginOfDraw(plan, sample, cycle, layout, position, context)).reduce(widest);
    },
    most: ({ image }) => mostMargin(plan, spatial(image.shape), image.geometry.spacing),
  };
}

function marginOfDraw(
  plan: AugmentPlan,
  sample: Parameters<PatchReach["margin"]>[0],
  cycle: number | undefined,
  layout: SampleLayout,
  position: number,
  context: RunContext,
): Margin {
  const copy = cycle === undefined ? sample : { ...sample, cycle };
  const params = drawAugment(plan, drawRandom(context, copy, "augment", position), { layout, mode: context.mode, sample: copy });
  if (!params?.spatial) return NO_MARGIN;
  const { shape, geometry } = layout.image;
  return spatialReach(params.spatial, spatial(shape), geometry.spacing);
}

/** Voxels in front of a patch and behind it that a change brings into it. */
export function spatialReach(change: SpatialChange, size: Triple, spacing: Triple): Margin {
  const matrix = spatialMatrix(change, undefined, spacing);
  const bound = change.elastic ? displacementBound(change.elastic.alpha, change.elastic.sigma) : 0;
  const displacement: Triple = [change.elastic?.planar ? 0 : bound, bound, bound];
  return marginFor(matrix.map(Math.abs), size, displacement, change.shift, change.shift, TAPS[change.order]);
}

function mostMargin({ rotation, scaling, translation, elastic, order }: AugmentPlan, size: Triple, spacing: Triple): Margin {
  if (!(rotation || scaling || translation || elastic)) return NO_MARGIN;
  const [a, b, c] = (rotation?.degrees ?? [0, 0, 0]).map((degrees, axis) =>
    sineBound(Math.max(degrees, axis === 0 ? (rotation?.planarDegrees ?? 0) : 0)),
  );
  const turn = product(product([1, 0, 0, 0, 1, a!, 0, a!, 1], [1, 0, b!, 0, 1, 0, b!, 0, 1]), [1, c!, 0, c!, 1, 0, 0, 0, 1]);
  const scale = Math.max(1, scaling?.range[1] ?? 1);
  // As in spatialMatrix: transposed, in voxels.
  const matrix = turn.map((_, i) => (turn[(i % 3) * 3 + Math.floor(i / 3)]! * scale * spacing[i % 3]!) / spacing[Math.floor(i / 3)]!);
  const bound = elastic ? displacementBound(elastic.alpha[1], elastic.sigma[0]) : 0;
  const shift = size.map((extent, axis) => Math.ceil((translation?.share[axis] ?? 0) * extent)) as unknown as Triple;
  // Scaled below 1 a patch may need the voxels around it for interpolation alone.
  const interpolates = rotation !== undefined || scaling !== undefined || elastic !== undefined;
  return marginFor(matrix, size, [bound, bound, bound], [-shift[0], -shift[1], -shift[2]], shift, TAPS[order], interpolates);
}

function marginFor(
  matrix: readonly number[],
  size: Triple,
  displacement: Triple,
  least: Triple,
  most: Triple,
  taps: number,
  interpolates = false,
): Margin {
  const beyond = (axis: 0 | 1 | 2, shift: number): number => {
    const isAlone = !interpolates && [0, 1, 2].every((k) => matrix[3 * axis + k] === (k === axis ? 1 : 0)) && displacement[axis] === 0;
    // Along an axis that only moves by whole voxels nothing is interpolated, and slices of one voxel stay in their plane.
    if (isAlone || (axis === 0 && size[0] === 1)) return Math.max(0, Math.ceil(shift));
    const reach = [0, 1, 2].reduce((sum, k) => sum + matrix[3 * axis + k]! * ((size[k]! - 1) / 2 + displacement[k]!), 0);
    return Math.max(0, Math.ceil(reach + shift - (size[axis] - 1) / 2 - 1e-6) + taps);
  };
  return [
    [beyond(0, -least[0]), beyond(1, -least[1]), beyond(2, -least[2])],
    [beyond(0, most[0]), beyond(1, most[1]), beyond(2, most[2])],
  ];
}

/** Largest displacement that counts, for uniform noise of variance 1/3 smoothed along three axes. */
function displacementBound(alpha: number, sigma: number): number {
  const smoothed = Math.min(1, 1 / (2 * sigma * Math.sqrt(Math.PI)));
  return Math.min(alpha, DEVIATIONS * alpha * Math.sqrt(smoothed ** 3 / 3));
}

function sineBound(degrees: number): number {
  return degrees >= 90 ? 1 : Math.sin((degrees * Math.PI) / 180);
}

function product(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: 9 }, (_, i) => [0, 1, 2].reduce((sum, k) => sum + a[3 * Math.floor(i / 3) + k]! * b[3 * k + (i % 3)]!, 0));
}

function widest([a, b]: Margin, [c, d]: Margin): Margin {
  const max = (p: Triple, q: Triple): Triple => [Math.max(p[0], q[0]), Math.max(p[1], q[1]), Math.max(p[2], q[2])];
  return [max(a, c), max(b, d)];
}
