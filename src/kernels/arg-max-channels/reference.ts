import type { LabelArray } from "../label-array.js";

export function argMaxChannelsReference(scores: Float32Array, output: LabelArray, channels: number): void {
  for (let v = 0; v < output.length; v++) {
    let best = 0;
    for (let c = 1; c < channels; c++) if (scores[v * channels + c]! > scores[v * channels + best]!) best = c;
    output[v] = best;
  }
}
