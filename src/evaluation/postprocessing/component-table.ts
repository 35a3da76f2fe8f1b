import { elementCount } from "../../core/shape.js";
import { connectedComponents } from "../../kernels/connected-components/connected-components.js";
import type { LabelPair } from "../read-label-pair.js";

/** A connected component of what was predicted. */
export interface PredictedComponent {
  readonly voxels: number;
  /** Those that are right. */
  readonly hits: number;
  /** Which component of each region that holds the class it is a part of, by the region's name: a place in the region's own table. */
  readonly within?: Readonly<Record<string, number>>;
}

/** The connected components of one predicted class, or region, of one case: all that the Dice of any postprocessing of it depends on. */
export interface ComponentTable {
  readonly id: string;
  readonly fold: number;
  /** A class, or a region's classes joined by `+`. */
  readonly class: string;
  /** Classes that are taken together; by default the one. */
  readonly classes?: readonly string[];
  /** Voxels of the class in the reference. */
  readonly reference: number;
  /** mm³. */
  readonly voxelVolume: number;
  /** From the largest to the smallest. */
  readonly components: readonly PredictedComponent[];
}

/**
 * Lists the predicted components (26-connected) of every region and then of every foreground class of a case.
 *
 * @param regions labels that are taken together; by default all foreground classes, where there are two or more
 * @example
 * componentTables({ id, fold: 0, classes, pair: { prediction, reference, shape, spacing } });
 */
export function componentTables({
  id,
  fold,
  classes,
  regions = postprocessedRegions(classes),
  pair: { prediction, reference, shape, spacing },
}: {
  readonly id: string;
  readonly fold: number;
  readonly classes: readonly string[];
  readonly regions?: readonly (readonly number[])[];
  readonly pair: LabelPair;
}): ComponentTable[] {
  const voxelVolume = spacing[0] * spacing[1] * spacing[2];
  const voxels = elementCount(shape);
  const mask = new Uint8Array(voxels);
  const scratch = new Int32Array(voxels);
  /** Of each region done so far: for each voxel the place of its component in the region's table, from 1. */
  const places: { readonly labels: readonly number[]; readonly name: string; readonly of: Int32Array }[] = [];
  return [...regions, ...classes.slice(1).map((_, at) => [at + 1])].map((labels, at): ComponentTable => {
    const isMember = new Uint8Array(65_536);
    for (const label of labels) isMember[label] = 1;
    let referenced = 0;
    for (let i = 0; i < voxels; i++) {
      mask[i] = isMember[prediction[i]!]!;
      referenced += isMember[reference[i]!]!;
    }
    const isRegion = at < regions.length;
    // A region's is looked at again for the classes in it.
    const component = isRegion ? new Int32Array(voxels) : scratch;
    const count = connectedComponents(mask, shape, component);
    const around = places.filter((region) => labels.every((label) => region.labels.includes(label)));
    const found = Array.from({ length: count }, () => ({ voxels: 0, hits: 0, first: 0 }));
    for (let i = voxels - 1; i >= 0; i--) {
      if (!mask[i]) continue;
      const own = found[component[i]! - 1]!;
      own.voxels++;
      own.hits += isMember[reference[i]!]!;
      own.first = i;
    }
    // Sorting is stable: of components of equal size the one that comes first in the array is the larger, as in postprocessing.
    const order = found.map((_, number) => number).sort((a, b) => found[b]!.voxels - found[a]!.voxels);
    const names = labels.map((label) => classes[label]!);
    if (isRegion) {
      const placeOf = new Int32Array(count + 1);
      for (const [place, number] of order.entries()) placeOf[number + 1] = place + 1;
      for (let i = 0; i < voxels; i++) component[i] = placeOf[component[i]!]!;
      places.push({ labels, name: names.join("+"), of: component });
    }
    return {
      id,
      fold,
      class: names.join("+"),
      classes: names,
      reference: referenced,
      voxelVolume,
      components: order.map((number) => {
        const { voxels: size, hits, first } = found[number]!;
        if (around.length === 0) return { voxels: size, hits };
        // Voxels that touch each other within a class do so within every region that holds it: any voxel tells for all.
        return { voxels: size, hits, within: Object.fromEntries(around.map((region) => [region.name, region.of[first]! - 1])) };
      }),
    };
  });
}

/**
 * Regions that are worth trying: all foreground classes together, then those that are given, from the largest to the smallest. One that overlaps another
 * without lying in it is left out, because what is removed of one would cut through components of the other.
 *
 * @example
 * postprocessedRegions(["background", "kidney", "tumor", "cyst"], [[2, 3]]); // [[1, 2, 3], [2, 3]]
 */
export function postprocessedRegions(classes: readonly string[], given: readonly (readonly number[])[] = []): readonly (readonly number[])[] {
  const all = classes.slice(1).map((_, at) => at + 1);
  const wanted = [all, ...given].map((labels) => [...new Set(labels)].filter((label) => label > 0).sort((a, b) => a - b));
  const chosen: number[][] = [];
  for (const labels of wanted.filter(({ length }) => length > 1).sort((a, b) => b.length - a.length)) {
    const fits = chosen.every((other) => {
      const common = labels.filter((label) => other.includes(label)).length;
      return common === 0 || (common === labels.length && common < other.length);
    });
    if (fits) chosen.push(labels);
  }
  return chosen;
}
