import { VoxError } from "../core/errors.js";

interface Sized {
  readonly length: number;
}

/** Throws `ERR_SHAPE` unless the array has exactly `count` elements. */
export function requireElements(where: string, name: string, array: Sized, count: number): void {
  if (array.length !== count) {
    throw new VoxError(`${name} must be an array of ${count} elements, got ${array.length}`, { code: "ERR_SHAPE", where });
  }
}

interface View extends Sized {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Throws `ERR_OPTION` when two arrays overlap in memory: the kernel reads neighbors of what it writes. */
export function requireSeparate(where: string, input: View, output: View): void {
  const overlaps =
    input.buffer === output.buffer &&
    input.byteOffset < output.byteOffset + output.byteLength &&
    output.byteOffset < input.byteOffset + input.byteLength;
  if (overlaps) throw new VoxError("output must be memory of its own, got memory that overlaps the input", { code: "ERR_OPTION", where });
}

/** Throws `ERR_SHAPE` when two arrays have other element types. */
export function requireAlike(where: string, input: object, output: object): void {
  if (input.constructor !== output.constructor) {
    throw new VoxError(`output must be a ${input.constructor.name}, got ${output.constructor.name}`, { code: "ERR_SHAPE", where });
  }
}

/** Throws `ERR_OPTION` unless every extent is a whole number ≥ 1. */
export function requireShape(where: string, name: string, shape: readonly number[], rank: number): void {
  if (shape.length !== rank || !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 1)) {
    throw new VoxError(`${name} must be ${rank} whole numbers >= 1, got [${shape.join(", ")}]`, { code: "ERR_OPTION", where });
  }
}
