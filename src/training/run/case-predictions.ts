import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BatchPart } from "../../core/batch.js";
import { parseBytes } from "../../core/bytes.js";
import { errorMessage, isVoxError } from "../../core/errors.js";
import type { RunEvent } from "../../core/run-events.js";
import { elementCount, formatShape, type Triple } from "../../core/shape.js";
import { undoPreprocessing } from "../../inference/undo-preprocessing.js";
import { undoRenaming } from "../../inference/undo-renaming.js";
import { reasonOf } from "../../io/read-error.js";
import { writeVolume } from "../../io/write-volume.js";
import type { LabelArray } from "../../kernels/label-array.js";
import type { KeepCasesOptions } from "../config/training-config.js";
import type { RunFolder } from "./run-folder.js";

/** A whole validation case as the network has just predicted it, on its own grid. */
export interface PredictedCase {
  readonly part: BatchPart;
  readonly labels: LabelArray;
  readonly shape: Triple;
}

export interface CasePredictionsOptions {
  readonly folder: RunFolder;
  readonly classes: number;
  readonly keep: KeepCasesOptions | undefined;
}

/** Apart from `predictions`, which hold what a finished training says and nothing else. */
export const CASE_PREDICTIONS = "validation";
/** A label map on the grid of its file stands whole in memory. */
const MOST_VOXELS = 1 << 28;

/**
 * Keeps the label maps that validation makes of whole cases, on the grids of their files: `validation/epoch-00010/<id>.nii.gz`. As more epochs come, every
 * other one goes: those that stay are the multiples of a growing stride, with the first and the newest, so that a resumed run keeps the same ones.
 */
export class CasePredictions {
  readonly #folder: RunFolder;
  /** The first cases that come by: they come in the same order after every epoch. */
  readonly #ids = new Set<string>();
  readonly #mostCases: number;
  readonly #classes: number;
  readonly #mostEpochs: number;
  readonly #mostBytes: number;
  readonly #told = new Set<string>();
  #epoch = 0;
  #epochBytes = 0;

  constructor({ folder, classes, keep: { cases = 8, epochs = 24, bytes = "256MB" } = {} }: CasePredictionsOptions) {
    this.#folder = folder;
    this.#mostCases = cases;
    this.#classes = classes;
    this.#mostEpochs = epochs;
    this.#mostBytes = parseBytes(bytes, "config", "validation.cases.keep.bytes");
  }

  /**
   * Writes a case of an epoch; its path in the run's folder, or undefined where it is none of those that are kept, or cannot be.
   *
   * @throws `ERR_WRITE`
   */
  async add(epoch: number, { part, labels, shape }: PredictedCase): Promise<string | undefined> {
    const { id, history, source } = part;
    if (epoch !== this.#epoch) await this.#begin(epoch);
    if (this.#ids.size < this.#mostCases) this.#ids.add(id);
    // One epoch alone never takes all the room: there would be nothing to compare it with.
    if (!this.#ids.has(id) || !source || this.#epochBytes >= this.#mostBytes / 2) return undefined;
    if (source.shape.reduce((product, extent) => product * extent, 1) > MOST_VOXELS) {
      this.#tell(id, `it has ${formatShape(source.shape)} voxels, more than ${MOST_VOXELS}`);
      return undefined;
    }
    const path = `${CASE_PREDICTIONS}/${nameOf(epoch)}/${id}.nii.gz`;
    const file = join(this.#folder.path, path);
    try {
      const own = undoPreprocessing({ labels, shape, classes: this.#classes, history });
      if (elementCount(own.shape) !== source.shape.reduce((product, extent) => product * extent, 1))
        throw new Error("its grid is not that of its file");
      await writeVolume(file, undoRenaming(own.labels, history), [...own.shape, 1], source, { kind: "label" });
    } catch (error) {
      if (isVoxError(error) && error.code === "ERR_WRITE") throw error;
      // Such as an operator of the user's own that moves voxels: it validates all the same.
      this.#tell(id, errorMessage(error));
      return undefined;
    }
    this.#epochBytes += (await stat(file)).size;
    return path;
  }

  /** All cases of an epoch are there: notes their scores, and makes room. */
  async finish(epoch: number, cases: Extract<RunEvent, { readonly type: "cases" }>["cases"]): Promise<void> {
    this.#folder.event({ type: "cases", epoch, cases });
    let kept = await this.#kept();
    const [first = epoch] = kept;
    // By the number of the epoch and not by what is there, or a resumed run would thin out twice.
    for (let stride = 1; kept.length > 2; stride *= 2) {
      if (Math.floor(epoch / first / stride) + 2 > this.#mostEpochs) continue;
      const old = kept.filter((each) => each !== first && each !== epoch && (each / first) % stride !== 0);
      await Promise.all(old.map((each) => this.#remove(each)));
      kept = kept.filter((each) => !old.includes(each));
      if ((await this.#bytes(kept)) <= this.#mostBytes) return;
    }
  }

  /** What a session that broke off has left of this epoch and of later ones is made again. */
  async #begin(epoch: number): Promise<void> {
    this.#epoch = epoch;
    this.#epochBytes = 0;
    for (const each of await this.#kept()) if (each >= epoch) await this.#remove(each);
  }

  async #kept(): Promise<readonly number[]> {
    const names = await readdir(join(this.#folder.path, CASE_PREDICTIONS)).catch(() => []);
    return names.flatMap((name) => (/^epoch-\d{5,}$/.test(name) ? [Number(name.slice(6))] : [])).sort((a, b) => a - b);
  }

  async #bytes(epochs: readonly number[]): Promise<number> {
    let sum = 0;
    for (const epoch of epochs) {
      const folder = join(this.#folder.path, CASE_PREDICTIONS, nameOf(epoch));
      // Somebody may make room meanwhile.
      for (const name of await readdir(folder).catch(() => [])) sum += (await stat(join(folder, name)).catch(() => ({ size: 0 }))).size;
    }
    return sum;
  }

  /** A training never ends for what cannot be tidied up, such as a file on a shared disk that somebody is just looking at. */
  async #remove(epoch: number): Promise<void> {
    const path = join(this.#folder.path, CASE_PREDICTIONS, nameOf(epoch));
    await rm(path, { recursive: true, force: true }).catch((error) => {
      if (this.#told.has(path)) return;
      this.#told.add(path);
      this.#folder.event({ type: "warning", message: `${path} could not be removed to make room: ${reasonOf(error)}` });
    });
  }

  /** Once per case: it is the same after every epoch. */
  #tell(id: string, reason: string): void {
    if (this.#told.has(id)) return;
    this.#told.add(id);
    this.#folder.event({ type: "warning", message: `the predictions of ${id} while training are not kept: ${reason}` });
  }
}

function nameOf(epoch: number): string {
  return `epoch-${String(epoch).padStart(5, "0")}`;
}
