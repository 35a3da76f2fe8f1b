import type { Shape4, Triple } from "../../core/shape.js";

export function windowAccumulateReference(
  sum: Float32Array,
  weightSum: Float32Array,
  shape: Shape4,
  patch: Float32Array,
  patchShape: Shape4,
  start: Triple,
  weights?: Float32Array,
): void {
  const [depth, height, width, channels] = shape;
  const [patchDepth, patchHeight, patchWidth] = patchShape;
  for (let z = Math.max(0, -start[0]); z < Math.min(patchDepth, depth - start[0]); z++) {
    for (let y = Math.max(0, -start[1]); y < Math.min(patchHeight, height - start[1]); y++) {
      for (let x = Math.max(0, -start[2]); x < Math.min(patchWidth, width - start[2]); x++) {
        const from = (z * patchHeight + y) * patchWidth + x;
        const to = ((z + start[0]) * height + y + start[1]) * width + x + start[2];
        const weight = weights ? weights[from]! : 1;
        weightSum[to]! += weight;
        for (let c = 0; c < channels; c++) sum[to * channels + c]! += weight * patch[from * channels + c]!;
      }
    }
  }
}
