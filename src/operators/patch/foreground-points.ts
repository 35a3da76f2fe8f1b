import type { Shape4, Triple } from "../../core/shape.js";
import { connectedComponents } from "../../kernels/connected-components/connected-components.js";
import type { LabelArray } from "../../workers/steps/step.js";

/** Some voxels of every label above 0, as flat indices, by label. */
export type ForegroundPoints = Readonly<Record<string, readonly number[]>>;

/** The same for each connected component of a label on its own. */
export type LesionPoints = Readonly<Record<string, readonly (readonly number[])[]>>;

/** Enough that patches around them reach every part of an organ, few enough for a cache record. */
const POINTS_PER_LABEL = 256;

/** Of more components every n-th is kept; each has a share of the points, and a single one all of them. */
const LESIONS_PER_LABEL = 128;
const LEAST_POINTS_PER_LESION = 4;

/** Every n-th voxel of each label, so that the points lie all over it and depend on nothing but the label map. */
export function foregroundPoints(labels: LabelArray): ForegroundPoints {
  return foregroundPointsOf((visit) => visit(labels, 0), labels instanceof Uint8Array ? "uint8" : "uint16");
}

/** The same for a label map that comes in pieces, twice: each with the index of its first voxel. */
export function foregroundPointsOf(
  eachPiece: (visit: (labels: LabelArray, first: number) => void) => void,
  dtype: "uint8" | "uint16",
): ForegroundPoints {
  const counts = new Uint32Array(dtype === "uint8" ? 256 : 65536);
  eachPiece((labels) => {
    for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  });
  const seen = new Uint32Array(counts.length);
  const points: Record<string, number[]> = {};
  for (let label = 1; label < counts.length; label++) if (counts[label]! > 0) points[label] = [];
  eachPiece((labels, first) => {
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!;
      if (label === 0) continue;
      const stride = Math.ceil(counts[label]! / POINTS_PER_LABEL);
      // From the middle of the first stride: the very first voxel of an organ is its tip.
      if (seen[label]!++ % stride === Math.floor(stride / 2)) points[label]!.push(first + i);
    }
  });
  // A label with fewer voxels than half a stride cannot be, since the stride is at most its count.
  return points;
}

/**
 * Points of every connected component (26 neighbors) of every label. Extra memory: 5 bytes per voxel of the largest box around a label.
 */
export function lesionPoints(labels: LabelArray, shape: Shape4): LesionPoints {
  const boxes = boxesOf(labels, shape);
  const points: Record<string, readonly (readonly number[])[]> = {};
  for (const [label, box] of boxes) points[label] = componentsOf(labels, shape, label, box);
  return points;
}

/** First and last voxel on each axis. */
type Box = [z0: number, y0: number, x0: number, z1: number, y1: number, x1: number];

function boxesOf(labels: LabelArray, [depth, height, width]: Shape4): ReadonlyMap<number, Box> {
  const boxes = new Map<number, Box>();
  for (let z = 0, i = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const label = labels[i]!;
        if (label === 0) continue;
        const first = x;
        // Runs of one label are one look at the map.
        while (x + 1 < width && labels[i + 1] === label) {
          x++;
          i++;
        }
        const box = boxes.get(label);
        if (!box) boxes.set(label, [z, y, first, z, y, x]);
        else {
          box[1] = Math.min(box[1], y);
          box[2] = Math.min(box[2], first);
          box[3] = z;
          box[4] = Math.max(box[4], y);
          box[5] = Math.max(box[5], x);
        }
      }
    }
  }
  return boxes;
}

function componentsOf(labels: LabelArray, [, height, width]: Shape4, label: number, [z0, y0, x0, z1, y1, x1]: Box): readonly (readonly number[])[] {
  const size: Triple = [z1 - z0 + 1, y1 - y0 + 1, x1 - x0 + 1];
  const mask = new Uint8Array(size[0] * size[1] * size[2]);
  const indexOf = (v: number): number => {
    const row = Math.floor(v / size[2]);
    return ((z0 + Math.floor(row / size[1])) * height + y0 + (row % size[1])) * width + x0 + (v % size[2]);
  };
  for (let z = 0, v = 0; z < size[0]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const row = ((z0 + z) * height + y0 + y) * width + x0;
      for (let x = 0; x < size[2]; x++, v++) mask[v] = labels[row + x] === label ? 1 : 0;
    }
  }
  const components = new Int32Array(mask.length);
  const count = connectedComponents(mask, size, components);
  const voxels = new Uint32Array(count + 1);
  for (let v = 0; v < components.length; v++) voxels[components[v]!]!++;
  const every = Math.ceil(count / LESIONS_PER_LABEL);
  const kept = Math.ceil(count / every);
  const share = Math.max(LEAST_POINTS_PER_LESION, Math.floor(POINTS_PER_LABEL / kept));
  const points = Array.from({ length: kept }, (): number[] => []);
  const seen = new Uint32Array(count + 1);
  for (let v = 0; v < components.length; v++) {
    const component = components[v]!;
    if (component === 0 || (component - 1) % every !== 0) continue;
    const stride = Math.ceil(voxels[component]! / share);
    if (seen[component]!++ % stride === Math.floor(stride / 2)) points[(component - 1) / every]!.push(indexOf(v));
  }
  return points;
}
