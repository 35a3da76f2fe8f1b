import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeCaseStores, openCaseStore } from "../../cache/index.js";
import { Block } from "../../core/block.js";
import { axisAligned } from "../../core/geometry.js";
import { Random } from "../../core/random.js";
import { formatShape, type Shape4, type Triple } from "../../core/shape.js";
import { prepareArenas, SlabPool } from "../../core/slab-pool.js";
import { hugePages } from "../../kernels/huge-pages/huge-pages.js";
import type { BenchOptions, BenchResult } from "./bench-result.js";
import { measure } from "./measure.js";

const CASES = 16;
const SHAPE: Shape4 = [160, 160, 160, 1];
const CROP: Triple = [64, 64, 64];

/**
 * Values of 16.4 MB float32 in the LMDB cache: written, read whole into an array, and in crops of 64³. The file lies in the system's page cache. `first` rows
 * are the first reading by a run, which maps the pages and compares the checksums of the chunks; the others come after it. Voxels lie where graphs have them, in a
 * pool.
 */
export async function benchCache({ runs, note }: BenchOptions): Promise<readonly BenchResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "voxstream-bench-"));
  prepareArenas(hugePages);
  const pool = new SlabPool({ budget: 64 * 1024 ** 2 });
  const array = (shape: readonly number[]): Float32Array => Block.allocate(pool, "float32", shape).data;
  const voxels = array(SHAPE);
  const random = new Random("bench cache");
  for (let i = 0; i < voxels.length; i++) voxels[i] = random.next();
  const [target, crop] = [array(SHAPE), array(CROP)];
  const image = { dtype: "float32", shape: SHAPE, geometry: axisAligned(), minimum: [0] } as const;
  let written = 0;
  const write = (store: ReturnType<typeof openCaseStore>, key: string) =>
    store.write(key, { id: key, made: "bench", image, history: [] }, { image: voxels });
  try {
    note(`${CASES} values of ${voxels.byteLength / 1e6} MB`);
    const bytes = voxels.byteLength;
    const results = [
      await measure(
        "cache/write",
        formatShape(SHAPE),
        CASES,
        () => write(openCaseStore(folder), `case-${written++}`),
        () => undefined,
        { bytes },
      ),
    ];
    let turn = 0;
    const imageOf = (n: number) => openCaseStore(folder).read(`case-${n % CASES}`)!.image;
    const whole = (n: number): void => imageOf(n).readRegion([0, 0, 0], [SHAPE[0], SHAPE[1], SHAPE[2]], target);
    const start = (): Triple => [random.integer(0, SHAPE[0] - CROP[0]), random.integer(0, SHAPE[1] - CROP[1]), random.integer(0, SHAPE[2] - CROP[2])];
    const cut = (at: Triple): void => imageOf(turn++).readRegion(at, CROP, crop);
    const [size, cropBytes] = [formatShape(SHAPE), { bytes: crop.byteLength }];
    for (const kind of ["crop", "read"] as const) {
      // A store that is opened anew knows of no chunk whether it is whole.
      await closeCaseStores();
      turn = 0;
      const isCrop = kind === "crop";
      results.push(
        isCrop
          ? await measure("cache/crop-first", formatShape(CROP), CASES - 1, cut, start, cropBytes)
          : await measure("cache/read-first", size, CASES - 1, whole, () => turn++, { bytes }),
        isCrop
          ? await measure("cache/crop", formatShape(CROP), 40 * runs, cut, start, cropBytes)
          : await measure("cache/read", size, CASES * runs, whole, () => turn++, { bytes }),
      );
    }
    return results;
  } finally {
    await closeCaseStores();
    await rm(folder, { recursive: true, force: true });
  }
}
