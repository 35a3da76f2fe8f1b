/** Returns how many voxels no window covered; they become 0. */
export function windowFinishReference(sum: Float32Array, weightSum: Float32Array, output: Float32Array, channels: number): number {
  let uncovered = 0;
  for (let v = 0; v < weightSum.length; v++) {
    const weight = weightSum[v]!;
    if (weight === 0) uncovered++;
    for (let c = 0; c < channels; c++) output[v * channels + c] = weight === 0 ? 0 : sum[v * channels + c]! / weight;
  }
  return uncovered;
}
