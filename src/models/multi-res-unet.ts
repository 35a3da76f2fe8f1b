import type { SymbolicTensor } from "@tensorflow/tfjs-layers";
import { defineNetwork } from "./define-network.js";
import type { ModelSpec } from "./model-spec.js";
import { completeUnetOptions, type UnetOptions } from "./unet-options.js";

/** Filters of a block for each filter that the standard U-Net would have. */
const WIDTH = 1.67;

/**
 * MultiRes U-Net: blocks of three chained 3x3(x3) convolutions whose outputs are concatenated, which stand for filters of 3, 5 and 7 voxels, and residual
 * convolutions on the skips, the more the finer the level.
 *
 * @shape (batch, D, H, W, C) → (batch, D, H, W, classes), or without D in 2D; D, H, W divisible by `2^depth` with isotropic pooling
 * @throws `ERR_OPTION` for options outside their rule; `ERR_MODEL` when built for a patch that does not fit
 * @source Ibtehaz and Rahman 2020; layers and widths of MIScnn 1.4 "multiRes" (the logits are normalized, with batch normalization)
 * @example
 * multiResUnet({ filters: 16, depth: 3 }).build({ shape: [32, 64, 64, 1], classes: 3 })
 */
export function multiResUnet(options: UnetOptions = {}): ModelSpec {
  const complete = completeUnetOptions("multiResUnet", options);
  const { filters, depth, normalization, activation, dropout } = complete;
  return defineNetwork({
    ...complete,
    name: "multiResUnet",
    options: { ...complete },
    network({ layers, factors, classes }) {
      type Act = typeof activation | "linear";
      // Normalization learns the shift, so the convolutions in front of it need none.
      const unit = (x: SymbolicTensor, n: number, kernel: 1 | 3, name: string, after: Act = activation): SymbolicTensor => {
        const y = layers.conv(x, n, kernel, name, { useBias: normalization === "none" });
        return layers.normalize(y, normalization, `${name}_norm`, { activation: after, scale: false });
      };
      const join = (a: SymbolicTensor, b: SymbolicTensor, name: string): SymbolicTensor =>
        layers.normalize(layers.activate(layers.add(a, b, `${name}_add`), activation, `${name}_activation`), normalization, `${name}_norm`);
      const block = (x: SymbolicTensor, u: number, name: string): SymbolicTensor => {
        const [n3, n5, n7] = [0.167, 0.333, 0.5].map((share) => Math.max(1, Math.floor(share * WIDTH * u))) as [number, number, number];
        const a = unit(x, n3, 3, `${name}_conv3`);
        const b = unit(a, n5, 3, `${name}_conv5`);
        const c = unit(b, n7, 3, `${name}_conv7`);
        const all = layers.normalize(layers.concat([a, b, c], `${name}_concat`), normalization, `${name}_concat_norm`); // n3 + n5 + n7
        return layers.dropout(join(unit(x, n3 + n5 + n7, 1, `${name}_shortcut`, "linear"), all, name), dropout, `${name}_dropout`);
      };
      const path = (x: SymbolicTensor, n: number, length: number, name: string): SymbolicTensor => {
        let y = x;
        for (let k = 0; k < length; k++) {
          const shortcut = unit(y, n, 1, `${name}_${k}_shortcut`, "linear");
          y = join(shortcut, unit(y, n, 3, `${name}_${k}_conv`), `${name}_${k}`);
        }
        return y;
      };

      const image = layers.input(); // D H W C
      let x = image;
      const skips: SymbolicTensor[] = [];
      for (let level = 0; level < depth; level++) {
        const n = filters * 2 ** level;
        x = block(x, n, `down${level}`); // D/2^level … about 1.67 n
        skips.push(path(x, n, depth - level, `path${level}`)); // D/2^level … n
        x = layers.maxPool(x, factors[level]!, `pool${level}`);
      }
      x = block(x, filters * 2 ** depth, "bottom"); // D/2^depth … about 1.67 filters * 2^depth
      for (let level = depth - 1; level >= 0; level--) {
        const n = filters * 2 ** level;
        x = layers.up(x, n, factors[level]!, `up${level}`);
        x = layers.concat([x, skips[level]!], `join${level}`); // D/2^level … 2 n
        x = block(x, n, `up${level}`); // D/2^level … about 1.67 n
      }
      // Normalizing each sample's logits by itself would fix how much of each class there is.
      const logits = normalization === "batch" ? unit(x, classes, 1, "logits", "linear") : layers.conv(x, classes, 1, "logits"); // D H W classes
      return { image, logits };
    },
  });
}
