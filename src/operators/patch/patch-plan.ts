import { StoredVolume } from "../../cache/stored-volume.js";
import { VoxError } from "../../core/errors.js";
import { Random } from "../../core/random.js";
import type { RunContext } from "../../core/run-context.js";
import type { Margin, Sample } from "../../core/sample.js";
import { elementCount, type Shape4, spatial, type Triple } from "../../core/shape.js";
import { Volume } from "../../core/volume.js";
import { FileVolume } from "../../io/file-volume.js";
import type { LabelArray, SampleLayout } from "../../workers/steps/step.js";
import { drawEpoch } from "../chain-run.js";
import { type ForegroundPoints, foregroundPoints, foregroundPointsOf, type LesionPoints, lesionPoints } from "./foreground-points.js";
import { marginInside, type PatchReach } from "./patch-reach.js";
import { patchStarts } from "./patch-starts.js";
import { readBox } from "./read-box.js";

/** The checked options of `patch`. */
export interface PatchPlan {
  readonly size: Triple;
  readonly mode: "random" | "grid";
  readonly overlap: Triple;
  readonly perCase: number;
  /** Absent where `augment` says how wide it is. */
  readonly margin?: Triple;
  readonly foreground: ForegroundPlan;
  readonly attempts: number;
}

/** How patches are drawn around foreground. */
export interface ForegroundPlan {
  readonly share: number;
  readonly by: "class" | "lesion";
  /** Labels that count; absent: all above 0. */
  readonly classes?: readonly number[];
  readonly spread: "random" | "even";
}

/** First voxels of the patches of a case, in order; `undefined` for random ones, which are drawn one by one. */
export function gridStarts({ size, overlap }: PatchPlan, shape: Shape4): Triple[] {
  const along = ([0, 1, 2] as const).map((axis) => {
    // A case smaller than the patch lies in its middle, with the odd voxel behind it.
    if (shape[axis] < size[axis]) return [-Math.floor((size[axis] - shape[axis]) / 2)];
    return patchStarts(shape[axis], size[axis], overlap[axis]);
  });
  return along[0]!.flatMap((z) => along[1]!.flatMap((y) => along[2]!.map((x): Triple => [z, y, x])));
}

/** First voxel of random patch number k: every offset equally likely, the last one included. */
export function drawStart(plan: PatchPlan, sample: Sample, k: number, { seed, mode }: RunContext): Triple {
  const { shape } = sample.image;
  const random = new Random(seed, drawEpoch(sample.epoch, mode), sample.id, k, "patch", sample.history.length);
  const { label } = sample;
  if (label && label.shape[3] !== 1 && (plan.foreground.share > 0 || plan.attempts > 1)) {
    throw new VoxError(`the label map must have 1 channel to find foreground in, got ${label.shape[3]}: put patch in front of oneHot`, {
      code: "ERR_SHAPE",
      where: "patch",
    });
  }
  const isTurn = evenTurn(plan.foreground, sample, k, { seed, mode });
  for (let attempt = 1; ; attempt++) {
    const isNear = label && plan.foreground.share > 0 && (isTurn ?? random.chance(plan.foreground.share));
    const near = isNear ? drawPoint(label, plan.foreground, random) : undefined;
    const at = (axis: 0 | 1 | 2) => drawOffset(random, shape[axis], plan.size[axis], near?.[axis]);
    const start: Triple = [at(0), at(1), at(2)];
    if (!label || attempt >= plan.attempts || hasForeground(label, start, plan.size)) return start;
  }
}

function drawOffset(random: Random, extent: number, size: number, near: number | undefined): number {
  if (extent <= size) return Math.floor((extent - size) / 2);
  if (near === undefined) return random.integer(0, extent - size);
  return random.integer(Math.max(0, near - size + 1), Math.min(extent - size, near));
}

/** With an even spread: whether patch k of a sample is one around foreground. Of any n in a row n·share are, rounded up or down. */
function evenTurn(
  { share, spread }: ForegroundPlan,
  sample: Sample,
  k: number,
  { seed, mode }: Pick<RunContext, "seed" | "mode">,
): boolean | undefined {
  if (spread === "random") return undefined;
  const phase = new Random(seed, drawEpoch(sample.epoch, mode), sample.id, -1, "patch.foreground", sample.history.length).next();
  return Math.floor((k + 1) * share + phase) > Math.floor(k * share + phase);
}

/** A voxel of a label that is drawn first, and of one of its lesions when asked for, so that small structures come as often as large ones. */
function drawPoint(label: NonNullable<Sample["label"]>, { by, classes }: ForegroundPlan, random: Random): Triple | undefined {
  const { shape } = label;
  const points: Readonly<Record<string, readonly unknown[]>> = by === "lesion" ? lesionsOf(label) : pointsOf(label);
  const labels = Object.keys(points).filter((value) => !classes || classes.includes(Number(value)));
  if (labels.length === 0) return undefined;
  const chosen = labels[random.integer(0, labels.length - 1)]!;
  const one = <T>(list: readonly T[]): T => list[random.integer(0, list.length - 1)]!;
  const index = by === "lesion" ? one(one(lesionsOf(label)[chosen]!)) : one(pointsOf(label)[chosen]!);
  const row = Math.floor(index / shape[2]);
  return [Math.floor(row / shape[1]), row % shape[1], index % shape[2]];
}

const known = new WeakMap<object, ForegroundPoints>();
const knownLesions = new WeakMap<object, LesionPoints>();

function pointsOf(label: NonNullable<Sample["label"]>): ForegroundPoints {
  if (label instanceof StoredVolume && label.points) return label.points;
  let points = known.get(label);
  if (!points) {
    points =
      label instanceof FileVolume
        ? foregroundPointsOf((visit) => label.eachSlab(visit), label.dtype)
        : foregroundPoints(label instanceof Volume ? label.data : wholeOf(label));
    known.set(label, points);
  }
  return points;
}

function lesionsOf(label: NonNullable<Sample["label"]>): LesionPoints {
  if (label instanceof StoredVolume && label.lesions) return label.lesions;
  let points = knownLesions.get(label);
  if (!points) {
    points = lesionPoints(label instanceof Volume ? label.data : wholeOf(label), label.shape);
    knownLesions.set(label, points);
  }
  return points;
}

function wholeOf(label: NonNullable<Sample["label"]>): LabelArray {
  const voxels = label.dtype === "uint8" ? new Uint8Array(elementCount(label.shape)) : new Uint16Array(elementCount(label.shape));
  readBox<"uint8" | "uint16">(label, [0, 0, 0], spatial(label.shape), voxels, 0);
  return voxels;
}

function hasForeground(label: NonNullable<Sample["label"]>, start: Triple, size: Triple): boolean {
  const length = size[0] * size[1] * size[2] * label.shape[3];
  const voxels = label.dtype === "uint8" ? new Uint8Array(length) : new Uint16Array(length);
  readBox<"uint8" | "uint16">(label, start, size, voxels, 0);
  return voxels.some((value) => value > 0);
}

/** Voxels that are cut around a patch: as many as were asked for, or as the operator behind looks at inside the case. */
export function marginOf(plan: PatchPlan, sample: Sample, origin: Triple, context: RunContext, reach: PatchReach | undefined): Margin | undefined {
  if (context.mode !== "training") return undefined;
  const { shape } = sample.image;
  if (plan.margin) return fixedMargin(plan.margin, shape);
  // The patch itself is one entry more of the history.
  const wanted = reach?.margin(sample, patchLayout(sample, plan.size), sample.history.length + 1, context);
  return wanted && marginInside(wanted, origin, plan.size, shape);
}

/** Larger than the margin of any patch of a sample. */
export function mostMargin(plan: PatchPlan, sample: Sample, { mode }: RunContext, reach: PatchReach | undefined): Margin | undefined {
  if (mode !== "training") return undefined;
  const { shape } = sample.image;
  if (plan.margin) return fixedMargin(plan.margin, shape);
  if (!reach) return undefined;
  const [before, after] = reach.most(patchLayout(sample, plan.size));
  // Both sides together end with the case.
  const within = before.map((extent, axis) => Math.min(extent + after[axis]!, Math.max(0, shape[axis]! - plan.size[axis]!))) as unknown as Triple;
  return [within, [0, 0, 0]];
}

/** Planar axes have nothing beside them. */
function fixedMargin(margin: Triple, shape: Shape4): Margin | undefined {
  const own = margin.map((extent, axis) => (shape[axis] === 1 ? 0 : extent)) as unknown as Triple;
  return own.some((extent) => extent > 0) ? [own, own] : undefined;
}

function patchLayout({ image, label }: Sample, size: Triple): SampleLayout {
  return {
    image: { dtype: "float32", shape: [...size, image.shape[3]], geometry: image.geometry },
    ...(label && { label: { dtype: label.dtype, shape: [...size, label.shape[3]], geometry: label.geometry } }),
  };
}
