import type { Observable } from "rxjs";
import type { RunContext } from "../../core/run-context.js";
import type { Margin, Sample } from "../../core/sample.js";
import { formatShape, type Shape4, spatial, type Triple } from "../../core/shape.js";
import type { SampleLayout } from "../../workers/steps/step.js";

export const NO_MARGIN: Margin = [
  [0, 0, 0],
  [0, 0, 0],
];

/** What an operator behind `patch` sees beyond a patch's border. */
export interface PatchReach {
  /** Voxels around one patch, given what the operator draws for it; `layout` is the patch's own, `position` the length of its history. */
  margin(sample: Pick<Sample, "id" | "epoch" | "patch">, layout: SampleLayout, position: number, context: RunContext): Margin;
  /** More than that no draw asks for. */
  most(layout: SampleLayout): Margin;
}

/** Builds a flow of patches again, cut with a border. */
type Recut = (reach: PatchReach) => Observable<Sample>;

const flows = new WeakMap<object, Recut>();

/** Remembers how a flow of patches is cut wider, for an operator that looks beyond them. */
export function tagPatches(flow: Observable<Sample>, recut: Recut): Observable<Sample> {
  flows.set(flow, recut);
  return flow;
}

export function patchesOf(flow: Observable<unknown>): Recut | undefined {
  return flows.get(flow);
}

/** Beyond the case there is nothing to see: a border ends with it. Undefined when none is left. */
export function marginInside([before, after]: Margin, start: Triple, size: Triple, shape: Shape4): Margin | undefined {
  const extents = spatial(shape);
  const first = before.map((extent, axis) => Math.min(extent, Math.max(0, start[axis]!))) as unknown as Triple;
  const last = after.map((extent, axis) => Math.min(extent, Math.max(0, extents[axis]! - start[axis]! - size[axis]!))) as unknown as Triple;
  return [...first, ...last].some((extent) => extent > 0) ? [first, last] : undefined;
}

export function describeMargin([before, after]: Margin): string {
  return before.every((extent, axis) => extent === after[axis]) ? formatShape(before) : `${formatShape(before)} and ${formatShape(after)}`;
}
