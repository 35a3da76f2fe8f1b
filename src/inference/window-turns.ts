import { elementCount, type Shape4, type Triple } from "../core/shape.js";
import { reorient } from "../kernels/reorient/reorient.js";

type Axis = 0 | 1 | 2;

/** One way to turn a window without interpolation: axis k of the turned window runs along axis `order[k]`, backwards where `flips[k]`. */
export interface WindowTurn {
  readonly order: Triple;
  readonly flips: readonly [boolean, boolean, boolean];
}

const IDENTITY: WindowTurn = { order: [0, 1, 2], flips: [false, false, false] };

/**
 * All turns that mirrors along some axes and quarter turns around some axes make together, each once, the identity first: a group, so the mean over it of
 * any network turns with the image.
 *
 * @example
 * windowTurns({ flips: [0, 1, 2], rotations: [] }); // 8
 * windowTurns({ flips: [], rotations: [0] }); // 4, within axial slices
 * windowTurns({ flips: [0, 1, 2], rotations: [0, 1, 2] }); // 48, the symmetries of the cube
 */
export function windowTurns({
  flips,
  rotations,
}: {
  readonly flips: readonly (0 | 1 | 2)[];
  readonly rotations: readonly (0 | 1 | 2)[];
}): readonly WindowTurn[] {
  const generators = [...flips.map(mirrorAlong), ...rotations.map(quarterTurnAround)];
  const found = new Map<string, WindowTurn>([[keyOf(IDENTITY), IDENTITY]]);
  for (const turn of found.values()) {
    for (const generator of generators) {
      const next = composed(turn, generator);
      // A map that grows is gone through to its end.
      if (!found.has(keyOf(next))) found.set(keyOf(next), next);
    }
  }
  return [...found.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** The turn that undoes another. */
export function inverseTurn({ order, flips }: WindowTurn): WindowTurn {
  const back = [0, 1, 2].map((axis) => order.indexOf(axis)) as unknown as Triple;
  return { order: back, flips: [flips[back[0]]!, flips[back[1]]!, flips[back[2]]!] };
}

/** A batch of windows, each turned; the batch itself for the identity. The turned windows must have the shape of the given. */
export function turnWindows(batch: Float32Array, shape: Shape4, count: number, { order, flips }: WindowTurn): Float32Array {
  if (!flips.includes(true) && order.every((axis, k) => axis === k)) return batch;
  const length = elementCount(shape);
  const turned = new Float32Array(batch.length);
  for (let n = 0; n < count; n++) {
    reorient(batch.subarray(n * length, (n + 1) * length), shape, turned.subarray(n * length, (n + 1) * length), order, flips);
  }
  return turned;
}

function mirrorAlong(axis: Axis): WindowTurn {
  return { order: IDENTITY.order, flips: [axis === 0, axis === 1, axis === 2] };
}

function quarterTurnAround(axis: Axis): WindowTurn {
  const [a, b] = [0, 1, 2].filter((other) => other !== axis) as [number, number];
  const order = [0, 1, 2].map((k) => (k === a ? b : k === b ? a : k)) as unknown as Triple;
  return { order, flips: [a === 0, a === 1, a === 2] };
}

/** First one, then the other. */
function composed(first: WindowTurn, then: WindowTurn): WindowTurn {
  const [a, b, c] = then.order;
  const flip = (k: Axis, along: number): boolean => first.flips[along]! !== then.flips[k]!;
  return { order: [first.order[a]!, first.order[b]!, first.order[c]!], flips: [flip(0, a), flip(1, b), flip(2, c)] };
}

/** Orders as numbers; mirrors by their bits, that of the width highest. */
function keyOf({ order, flips }: WindowTurn): string {
  return `${order.join("")} ${[...flips].reverse().map(Number).join("")}`;
}
