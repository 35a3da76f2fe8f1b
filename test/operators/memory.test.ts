import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "voxstream-memory-"));
const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

afterAll(() => rmSync(folder, { recursive: true }));

/** A process of its own, so that nothing but the graph counts. One file under 200 names: what is read does not matter, only how much. */
const SCRIPT = `
  import { writeVolume } from "${dist}io/index.js";
  import { cases, load, clip, normalize, patch, augment, shuffle, batch } from "${dist}operators/index.js";
  import { run, to } from "${dist}streams/index.js";
  import { SlabPool } from "${dist}core/slab-pool.js";
  import { createTaskPool } from "${dist}workers/create-task-pool.js";
  const [folder, count] = [process.argv[1], Number(process.argv[2])];
  const shape = [128, 256, 256, 1];
  const axes = [0, 1, 2].map((axis) => ({ axis, flipped: false }));
  const grid = { format: "nifti", path: "", shape: [256, 256, 128], dimensions: 3, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], axes, orientation: "RAS", header: null };
  const voxels = Uint8Array.from({ length: 128 * 256 * 256 }, (_, i) => (i * 7 + (i >> 8) * 13) % 200);
  await writeVolume(folder + "/image.nii", voxels, shape, grid, { kind: "label" });
  await writeVolume(folder + "/label.nii", voxels.map((value) => (value > 150 ? 1 : 0)), shape, grid, { kind: "label" });
  const refs = Array.from({ length: count }, (_, i) => ({ id: "case_" + i, images: [folder + "/image.nii"], label: folder + "/label.nii" }));
  const pool = new SlabPool({ budget: 400 * 1024 ** 2 });
  const tasks = createTaskPool({ threads: 2 });
  let peak = 0;
  const timer = setInterval(() => { peak = Math.max(peak, process.memoryUsage().rss); }, 10);
  const flow = cases({ classes: ["background", "bright"], channels: 1, list: async () => refs }, { refs }).pipe(
    load(), clip({ min: 0, max: 190 }), normalize(), patch({ size: [32, 64, 64], perCase: 2 }), augment({ mirror: true }), shuffle({ window: 16 }), batch({ size: 2 }));
  let batches = 0;
  const slowTrainer = to(async () => { batches++; await new Promise((resolve) => setTimeout(resolve, 20)); });
  await run("memory", [flow.pipe(slowTrainer)], { context: { seed: 1, mode: "training", pool, tasks, onError: "fail" } }).done;
  clearInterval(timer);
  process.stdout.write(JSON.stringify({ batches, peak, inUse: pool.bytesInUse, reserved: pool.bytesReserved }));
  await tasks.destroy();
`;

it("200 cases of 32 MB through a slow trainer stay below 700 MB", { timeout: 240_000 }, () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", SCRIPT, folder, "200"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  const result = JSON.parse(stdout) as { batches: number; peak: number; inUse: number; reserved: number };
  expect(result).toMatchObject({ batches: 200, inUse: 0 });
  expect(result.reserved).toBeLessThanOrEqual(400 * 1024 ** 2);
  expect(result.peak).toBeLessThan(700e6);
});
