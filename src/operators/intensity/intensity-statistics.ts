import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CaseRef, DataSet } from "../../core/case.js";
import { requireOption, VoxError } from "../../core/errors.js";
import { requireKnownOptions } from "../../core/require-known-options.js";
import { addressOptions } from "../../io/dicom/dicom-address.js";
import { filesOfVolume } from "../../io/files-of-volume.js";
import { type CaseIntensities, caseIntensities, type ForegroundIntensities, foregroundIntensities } from "../../io/foreground-intensities.js";
import { loadCase } from "../../io/load-case.js";
import { writeAtomically } from "../../io/write-atomically.js";
import { createTaskPool } from "../../workers/create-task-pool.js";
import { withSample } from "../chain-run.js";

export interface IntensityStatisticsOptions {
  /** Only these cases, such as the training side of a split. Default all with a label. */
  readonly ids?: readonly string[];
  /** Folder in which the numbers are kept for the next time; "none" keeps nothing. Default: `VOXSTREAM_CACHE`, else `cache`. */
  readonly folder?: string;
  /** Threads that read cases; 0 reads on this thread. Default: one fewer than the machine has cores. */
  readonly workers?: number;
  /** Called after each case. */
  readonly onCase?: (id: string, done: number, total: number) => void;
}

export interface IntensityStatistics {
  /** Options of `normalize`: percentiles 0.5 and 99.5, mean and deviation of the foreground, one number per channel. */
  readonly ct: ForegroundIntensities & { readonly mode: "ct" };
  /** Cases with foreground. */
  readonly cases: number;
  /** Their voxels with a label above 0. */
  readonly voxels: number;
}

/**
 * Reads a data set once for the intensities of its foreground, as CT normalization needs them; every case has the same weight. The numbers are kept in a file
 * whose name holds ids, names, sizes and times of the cases' files, so a second run, another thread, or a resumed run takes them from there.
 *
 * @units as in the files after their scaling, HU for CT
 * @label voxels above 0 count
 * @throws `ERR_OPTION`; `ERR_EMPTY` when no case has foreground; with the case what reading it throws
 * @source nnU-Net 2, explanation_normalization.md
 * @example
 * const { ct } = await intensityStatistics(data, { ids: split.train });
 * const graph = ({ cases }) => cases.pipe(cached(load(), normalize(ct)), patch({ size: [64, 128, 128] }));
 */
export async function intensityStatistics(data: DataSet, options: IntensityStatisticsOptions = {}): Promise<IntensityStatistics> {
  requireKnownOptions("intensityStatistics", options, ["ids", "folder", "workers", "onCase"]);
  const { ids, folder = process.env.VOXSTREAM_CACHE ?? "cache", workers, onCase } = options;
  requireOption(typeof folder === "string" && folder !== "", "intensityStatistics", "folder", 'a path or "none"', folder);
  const refs = chosen(await data.list(), data, ids);
  // Files have names, sizes and times; arrays of a custom reader have nothing that tells whether they changed.
  const path = folder === "none" || data.read ? undefined : join(folder, `intensities-${await fingerprint(refs, data)}.json`);
  const known = path && (await readKnown(path));
  if (known) return known;
  const measured = await measureAll(refs, data, workers, onCase);
  const found = foregroundIntensities(measured);
  if (!found) {
    throw new VoxError(`at least one case must have foreground, got ${refs.length} without`, { code: "ERR_EMPTY", where: "intensityStatistics" });
  }
  const statistics: IntensityStatistics = {
    ct: { mode: "ct", ...found },
    cases: measured.length,
    voxels: measured.reduce((sum, { voxels }) => sum + voxels, 0),
  };
  if (path) await writeAtomically(path, [Buffer.from(`${JSON.stringify(statistics)}\n`)]);
  return statistics;
}

function chosen(all: readonly CaseRef[], data: DataSet, ids: readonly string[] | undefined): readonly CaseRef[] {
  const missing = ids?.find((id) => !all.some((ref) => ref.id === id));
  if (missing !== undefined) {
    throw new VoxError(`ids must be cases of the data set, got ${missing}`, { code: "ERR_DATA", where: "intensityStatistics" });
  }
  const refs = all.filter((ref) => (ids ? ids.includes(ref.id) : true) && (data.read !== undefined || ref.label !== undefined));
  if (refs.length === 0) throw new VoxError("at least one case must have a label, got none", { code: "ERR_EMPTY", where: "intensityStatistics" });
  return refs;
}

async function fingerprint(refs: readonly CaseRef[], { classes, channels }: DataSet): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([1, classes, channels]));
  for (const { id, images, label, reading } of refs) {
    const paths = [...images, ...(label === undefined ? [] : [label])];
    // What files mean decides what is foreground.
    const meaning = paths.map(addressOptions).concat(reading ? [JSON.stringify(reading)] : []);
    if (meaning.some((text) => text !== "")) hash.update(JSON.stringify(meaning));
    for (const file of (await Promise.all(paths.map(filesOfVolume))).flat()) {
      const found = await stat(file).catch(() => undefined);
      hash.update(JSON.stringify([id, basename(file), found?.size ?? -1, found?.mtimeMs ?? -1]));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** What an earlier call has kept; a file that cannot be read counts as none. */
async function readKnown(path: string): Promise<IntensityStatistics | undefined> {
  try {
    const known = JSON.parse(await readFile(path, "utf8")) as Partial<IntensityStatistics>;
    return known.ct?.mode === "ct" && known.cases !== undefined ? (known as IntensityStatistics) : undefined;
  } catch {
    return undefined;
  }
}

async function measureAll(
  refs: readonly CaseRef[],
  data: DataSet,
  workers: number | undefined,
  onCase: IntensityStatisticsOptions["onCase"],
): Promise<readonly CaseIntensities[]> {
  const { classes, channels } = data;
  const tasks = createTaskPool(data.read ? { threads: 0 } : workers === undefined ? {} : { threads: workers });
  const found = new Array<CaseIntensities | undefined>(refs.length);
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    for (let n = next++; n < refs.length; n = next++) {
      const ref = refs[n]!;
      try {
        found[n] = data.read
          ? await measureCustom(data, ref)
          : ((await tasks.run("measureCase", { ref, classes, channels })) as CaseIntensities | undefined);
      } catch (error) {
        throw withSample(error, ref.id);
      }
      onCase?.(ref.id, ++done, refs.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: tasks.concurrency }, lane));
  } finally {
    await tasks.destroy();
  }
  return found.filter((one) => one !== undefined);
}

async function measureCustom(data: DataSet, ref: CaseRef): Promise<CaseIntensities | undefined> {
  const { image, label } = await loadCase(data, ref);
  return label && caseIntensities(image, data.channels, label);
}
