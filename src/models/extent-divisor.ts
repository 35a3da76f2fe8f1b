import type * as tfl from "@tensorflow/tfjs-layers";
import { walkModel } from "./walk-model.js";

/**
 * What each extent of an image must be divisible by to pass through a network that was built for a fixed patch: the least common multiple of the factors by
 * which its layers reduce it.
 *
 * @example
 * extentDivisor(unet({ depth: 4 }).build({ shape: [64, 64, 64, 1], classes: 3 })) // [16, 16, 16]
 */
export function extentDivisor(model: tfl.LayersModel): readonly number[] {
  const input = model.inputs[0]!.shape.slice(1, -1);
  const divisor = input.map(() => 1);
  walkModel<null>(
    model,
    model.inputs.map(() => null),
    (_, __, { output }) => {
      if (output.length === input.length + 2) {
        for (const [axis, extent] of input.entries()) {
          const factor = (extent ?? 0) / (output[axis + 1] ?? 0);
          if (Number.isInteger(factor) && factor > 1) divisor[axis] = leastCommonMultiple(divisor[axis]!, factor);
        }
      }
      return null;
    },
  );
  return divisor;
}

function leastCommonMultiple(a: number, b: number): number {
  const divisor = (x: number, y: number): number => (y === 0 ? x : divisor(y, x % y));
  return (a / divisor(a, b)) * b;
}
