import type { CaseRef, CustomCase, DataSet } from "../../src/core/case.js";
import { Random } from "../../src/core/random.js";

/** A planar case: noise with a bright square, which is the label. */
export function tinyCase(id: string, size = 16): CustomCase {
  const random = new Random("tiny", id);
  const image = Float32Array.from({ length: size * size }, () => 0.3 * random.normal());
  const label = new Uint8Array(size * size);
  const [y0, x0] = [random.integer(1, size - 8), random.integer(1, size - 8)];
  for (let y = y0; y < y0 + 6; y++) {
    for (let x = x0; x < x0 + 6; x++) {
      image[y * size + x]! += 2;
      label[y * size + x] = 1;
    }
  }
  return { image: { data: image, shape: [1, size, size, 1] }, label: { data: label, shape: [1, size, size, 1] } };
}

/** Planar cases `case_0` … in memory; some may be broken. */
export function tinyData(count: number, { broken = [] as readonly string[], size = 16 } = {}): DataSet {
  return {
    classes: ["background", "square"],
    channels: 1,
    list: async (): Promise<CaseRef[]> => Array.from({ length: count }, (_, k) => ({ id: `case_${k}`, images: [] })),
    read: async (ref) => {
      if (broken.includes(ref.id)) throw new Error("this case cannot be read");
      return tinyCase(ref.id, size);
    },
  };
}
