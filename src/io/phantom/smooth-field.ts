import type { Random } from "../../core/random.js";
import type { Triple } from "../../core/shape.js";
import { roughNormal } from "./rough-normal.js";

/** A smooth random field with values around 0 (standard deviation about 0.6): normal deviates on a coarse lattice, interpolated without creases. */
export function smoothField(random: Random, shape: Triple, lattice: Triple): Float32Array {
  const [lz, ly, lx] = lattice;
  const nodes = Float64Array.from({ length: lz * ly * lx }, () => roughNormal(random));
  const [depth, height, width] = shape;
  const field = new Float32Array(depth * height * width);
  const at = (n: number, extent: number, count: number): readonly [number, number] => {
    const position = extent > 1 ? (n / (extent - 1)) * (count - 1) : 0;
    const low = Math.min(count - 2, Math.floor(position));
    const t = position - low;
    // Smoothstep: no creases at the nodes.
    return [low, t * t * (3 - 2 * t)];
  };
  let n = 0;
  const row = new Float64Array(lx);
  const across = Array.from({ length: width }, (_, x) => at(x, width, lx));
  for (let z = 0; z < depth; z++) {
    const [iz, fz] = at(z, depth, lz);
    for (let y = 0; y < height; y++) {
      const [iy, fy] = at(y, height, ly);
      for (let i = 0; i < lx; i++) {
        const node = (iz * ly + iy) * lx + i;
        const near = nodes[node]! * (1 - fy) + nodes[node + lx]! * fy;
        const far = nodes[node + ly * lx]! * (1 - fy) + nodes[node + ly * lx + lx]! * fy;
        row[i] = near * (1 - fz) + far * fz;
      }
      for (let x = 0; x < width; x++) {
        const [ix, fx] = across[x]!;
        field[n++] = row[ix]! * (1 - fx) + row[ix + 1]! * fx;
      }
    }
  }
  return field;
}
