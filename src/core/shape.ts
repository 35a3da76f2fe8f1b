/** Array shape of a volume or patch, in C order: the channel varies fastest. 2D images have depth 1. */
export type Shape4 = readonly [depth: number, height: number, width: number, channels: number];
/** Array shape of a batch. */
export type Shape5 = readonly [batch: number, depth: number, height: number, width: number, channels: number];
/** One number per spatial axis in array order: depth, height, width. */
export type Triple = readonly [depth: number, height: number, width: number];

/** Number of elements of an array: the product of its extents. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const extent of shape) count *= extent;
  return count;
}

/** The spatial part of a shape. */
export function spatial(shape: Shape4): Triple {
  return [shape[0], shape[1], shape[2]];
}

/** `"80x160x160"`, for messages and file names. */
export function formatShape(shape: readonly number[]): string {
  return shape.join("x");
}
