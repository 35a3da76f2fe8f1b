import type { Geometry } from "../../core/geometry.js";
import type { Json } from "../../core/json.js";
import type { Shape4 } from "../../core/shape.js";

export type LabelArray = Uint8Array | Uint16Array;

/** What is known of an array before its voxels are there. */
export interface ArrayLayout<D extends "float32" | "uint8" | "uint16" = "float32" | "uint8" | "uint16"> {
  readonly dtype: D;
  readonly shape: Shape4;
  readonly geometry: Geometry;
}

export interface SampleLayout {
  readonly image: ArrayLayout<"float32">;
  readonly label?: ArrayLayout<"uint8" | "uint16">;
}

/**
 * What a step does to one of the two arrays: `keep` leaves it alone, `rewrite` computes each voxel from itself so that input and output may be the same
 * memory, `make` fills other memory.
 */
export type Effect = "keep" | "rewrite" | "make";

export interface StepPlan {
  readonly image: Effect;
  readonly label: Effect;
  readonly layout: SampleLayout;
}

/** Memory and parameters of one application; an array with the effect `keep` is absent. */
export interface StepWork<P> {
  readonly params: P;
  readonly before: SampleLayout;
  readonly after: SampleLayout;
  readonly image?: { readonly input: Float32Array; readonly output: Float32Array };
  readonly label?: { readonly input: LabelArray; readonly output: LabelArray };
  /** Long steps ask now and then and return early; what they left is thrown away. */
  isStopped(): boolean;
}

/** Voxels in front of a step, for what only they tell. */
export interface MeasureWork<P> {
  readonly params: P;
  readonly layout: SampleLayout;
  readonly image: Float32Array;
  readonly label?: LabelArray;
}

/** What a prediction needs to go back over a step. */
export interface StepReturn<P> {
  readonly params: P;
  /** Of the scores of one class alone: what voxels get that the network has not seen. Default 0. */
  readonly outside?: number;
  /** Shape of the prediction as it comes, channels included. */
  readonly shape: Shape4;
  /** Shape that it had in front of the step, with the same channels. */
  readonly target: Shape4;
  /** Place of the sample in front of the step. */
  readonly geometry: Geometry;
  isStopped(): boolean;
}

/**
 * A deterministic change of a sample, found by name in the table of steps: `plan` runs on the graph thread and gives shapes before any voxel is read,
 * `apply` runs in a worker. `P` is plain JSON and stands in the sample's history.
 */
export interface Step<P> {
  plan(layout: SampleLayout, params: P): StepPlan;
  apply(work: StepWork<P>): void;
  /**
   * Finds, in a worker, what the plan needs to know of the voxels themselves. It becomes `params.measured` and stands in the history, so that a replay does
   * not look again. Before, `plan` gives the largest that the sample can become.
   */
  measure?(work: MeasureWork<P>): Json;
  /** The value that each predicted class had in front of the step; empty where nothing tells. Absent where labels keep their values. */
  names?(params: P): ReadonlyMap<number, number>;
  /** Undoes the move of voxels for a prediction; absent where voxels stay in place. */
  readonly inverse?: {
    labels(input: LabelArray, output: LabelArray, work: StepReturn<P>): void;
    probabilities(input: Float32Array, output: Float32Array, work: StepReturn<P>): void;
  };
}

/** The plan of a step that changes voxels, but neither shape nor place nor type. */
export function inPlacePlan(layout: SampleLayout, { image = "rewrite" as Effect, label = "keep" as Effect } = {}): StepPlan {
  return { image, label: layout.label ? label : "keep", layout };
}

/** The plan of a step that gives image and label map another grid. */
export function regridPlan(layout: SampleLayout, shape: readonly [number, number, number], geometry: Geometry): StepPlan {
  const { image, label } = layout;
  return {
    image: "make",
    label: label ? "make" : "keep",
    layout: {
      image: { ...image, shape: [...shape, image.shape[3]], geometry },
      ...(label && { label: { ...label, shape: [...shape, label.shape[3]] as const, geometry } }),
    },
  };
}
