import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { elementCount, formatShape, type Triple } from "../../core/shape.js";
import { writePhantoms } from "../../io/phantom/write-phantoms.js";
import { readHeader } from "../../io/read-header.js";
import { readVolume } from "../../io/read-volume.js";
import { benchInWorkers } from "./bench-in-workers.js";
import type { BenchOptions, BenchResult } from "./bench-result.js";
import { benchShape } from "./bench-shape.js";
import { measure } from "./measure.js";

/** A NIfTI file to a canonical float32 volume: inflate, decode, scale, turn. Without `--file`, a made-up int16 CT. */
export async function benchLoad(options: BenchOptions): Promise<readonly BenchResult[]> {
  const { file, shape, note } = options;
  const load = benchInWorkers("load", async ({ file: path, runs }) => [await timeLoading(path!, runs)]);
  if (file) return load(options);
  const size: Triple = benchShape(shape, [64, 512, 512]);
  const folder = await mkdtemp(join(tmpdir(), "voxstream-bench-"));
  try {
    note(`writing a ${formatShape(size)} phantom`);
    await writePhantoms({ folder, cases: 1, shape: size });
    // One file for all workers.
    return await load({ ...options, file: join(folder, "case_00000", "imaging.nii.gz") });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function timeLoading(path: string, runs: number): Promise<BenchResult> {
  const { shape } = await readHeader(path);
  const voxels = new Float32Array(elementCount(shape));
  // Reading the header is part of loading a case.
  const work = async () => readVolume(await readHeader(path), voxels);
  return measure("load/int16-gz", formatShape(shape), runs, work, () => undefined, { bytes: voxels.byteLength });
}
