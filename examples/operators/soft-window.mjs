// An operator of your own for worker threads: the work, exported under its name, and the operator that names this module.
import { transform } from "voxstream";

/** out = 1 / (1 + exp(-(x - level) / width)): a soft window. */
export function softWindowVoxels({ image }, { level, width }) {
  for (let i = 0; i < image.input.length; i++) image.output[i] = 1 / (1 + Math.exp(-(image.input[i] - level) / width));
}

export const softWindow = ({ level, width }) =>
  transform({ name: "softWindow", parameters: { level, width }, apply: softWindowVoxels, module: import.meta.url });
