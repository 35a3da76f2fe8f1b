import { closestCanonical, turnAffine } from "../../core/closest-canonical.js";
import { type Geometry, type SourceAxis, spacingOf } from "../../core/geometry.js";
import { spatial, type Triple } from "../../core/shape.js";
import { reorient } from "../../kernels/reorient/reorient.js";
import type { VoxelArray } from "../../kernels/voxel-array.js";
import { inPlacePlan, regridPlan, type Step, type StepReturn } from "./step.js";

export interface OrientParams {
  /** Where width, height and depth point to, such as `RAS`. */
  readonly axes: string;
}

/** Swaps and flips axes until they point, as closely as they can, where they should. */
export const orientStep: Step<OrientParams> = {
  plan(layout, params) {
    const { shape, geometry } = layout.image;
    const turn = turnOf(geometry, spatial(shape), params);
    if (turn.isIdentity) return inPlacePlan(layout, { image: "keep" });
    return regridPlan(layout, turn.size, turn.geometry);
  },
  apply({ image, label, params, before }) {
    const { order, flips } = turnOf(before.image.geometry, spatial(before.image.shape), params);
    if (image) reorient(image.input, before.image.shape, image.output, order, flips);
    if (label) reorient(label.input, before.label!.shape, label.output, order, flips);
  },
  inverse: { labels: turnBack, probabilities: turnBack },
};

function turnBack<A extends VoxelArray>(input: A, output: A, { shape, target, geometry, params }: StepReturn<OrientParams>): void {
  const { order, flips } = turnOf(geometry, spatial(target), params);
  const at = (axis: 0 | 1 | 2) => order.indexOf(axis) as 0 | 1 | 2;
  reorient(input, shape, output, [at(0), at(1), at(2)], [flips[at(0)], flips[at(1)], flips[at(2)]]);
}

interface Turn {
  readonly order: Triple;
  readonly flips: readonly [boolean, boolean, boolean];
  readonly size: Triple;
  readonly geometry: Geometry;
  readonly isIdentity: boolean;
}

/** From an array's grid to one whose width, height and depth point to the letters of `axes`. */
function turnOf({ affine }: Geometry, size: Triple, { axes }: OrientParams): Turn {
  const xyz: Triple = [size[2], size[1], size[0]];
  const canonical = closestCanonical(affine, xyz).axes;
  const wanted = [...axes].map((letter): SourceAxis => {
    const positive = "RAS".indexOf(letter);
    const { axis, flipped } = canonical[positive >= 0 ? positive : "LPI".indexOf(letter)]!;
    return { axis, flipped: flipped !== positive < 0 };
  });
  const turned = turnAffine(affine, xyz, wanted);
  // Array axes count from the slowest: depth is z.
  const order = [2, 1, 0].map((k) => 2 - wanted[k]!.axis) as unknown as Triple;
  const flips = [2, 1, 0].map((k) => wanted[k]!.flipped) as unknown as Turn["flips"];
  return {
    order,
    flips,
    size: order.map((axis) => size[axis]!) as unknown as Triple,
    geometry: { spacing: spacingOf(turned), affine: turned },
    isIdentity: order.every((axis, k) => axis === k) && !flips.includes(true),
  };
}
