import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorMessage } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { elementCount } from "../../core/shape.js";
import type { TrainingBatch } from "../hosting/batch-source.js";
import type { RunFolder } from "./run-folder.js";

/** Captures that stay in the folder. */
const KEEP = 6;
/** Unasked, one is taken this often at most, and only of this size. */
const EVERY_MS = 60_000;
const MOST_BYTES = 32 << 20;
const MOST_ASKED_BYTES = 256 << 20;
/** Parameters of an operator that are longer as text are left out. */
const MOST_PARAMS = 4000;

/**
 * Writes the samples of a batch exactly as the trainer received them into `samples/step-<n>.json` and `.bin`: float32 voxels, labels as they are, and the
 * history of each sample. The first batch is written, then one a minute at the most at the beginning of an epoch, and the next one whenever it is asked for.
 */
export class SampleCapture {
  #isAsked = false;
  #takenAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly folder: RunFolder,
    private readonly classes: readonly string[],
  ) {}

  /** The next batch is to be written. */
  ask(): void {
    this.#isAsked = true;
  }

  /** Looks at a batch before it is trained on. */
  look(batch: TrainingBatch, { step, epoch, isFirst }: { readonly step: number; readonly epoch: number; readonly isFirst: boolean }): void {
    const isAsked = this.#isAsked;
    if (!isAsked && !(isFirst && performance.now() - this.#takenAt > EVERY_MS)) return;
    this.#isAsked = false;
    this.#takenAt = performance.now();
    try {
      this.#write(batch, step, epoch, isAsked ? MOST_ASKED_BYTES : MOST_BYTES, isAsked);
    } catch (error) {
      // A picture for the dashboard is not worth a training; a full disk fails the next event in order.
      process.emitWarning(`samples were not written: ${errorMessage(error)}`, "VoxstreamWarning");
    }
  }

  #write({ image, label, parts }: TrainingBatch, step: number, epoch: number, mostBytes: number, isAsked: boolean): void {
    const [batch, ...shape] = image.shape;
    const voxels = elementCount(shape);
    const labelVoxels = label ? elementCount(label.shape.slice(1)) : 0;
    const eachBytes = voxels * 4 + labelVoxels * (label?.data.BYTES_PER_ELEMENT ?? 0);
    const count = Math.min(batch, Math.floor(mostBytes / eachBytes));
    if (count === 0) {
      if (isAsked)
        this.folder.event({ type: "warning", message: `samples of ${Math.round(eachBytes / 2 ** 20)} MB each are too large to be written` });
      return;
    }
    const name = `step-${String(step).padStart(9, "0")}`;
    const folder = join(this.folder.path, "samples");
    mkdirSync(folder, { recursive: true });
    // A copy: the batch lies in shared memory, which files are not written from.
    const bytes = Buffer.concat([
      Buffer.from(Float32Array.from(image.data.subarray(0, count * voxels)).buffer),
      ...(label ? [Buffer.from(label.data.slice(0, count * labelVoxels).buffer)] : []),
    ]);
    const description = {
      format: "voxstream-samples",
      step,
      epoch,
      shape,
      classes: this.classes,
      label: label ? { dtype: dtypeOf(label.data), channels: label.shape[4], offset: count * voxels * 4 } : null,
      left: batch - count,
      samples: parts.slice(0, count).map(({ id, patch, origin, history }) => ({
        id,
        patch: patch ?? null,
        origin: origin ?? null,
        history: history.map(({ operator, params }) => ({ operator, params: brief(params) })),
      })),
    };
    // The description comes last: whoever sees it finds the voxels.
    replace(join(folder, `${name}.bin`), bytes);
    replace(join(folder, `${name}.json`), JSON.stringify(description));
    this.folder.event({ type: "samples", path: `samples/${name}.json`, step, epoch, count });
    const kept = readdirSync(folder).filter((file) => /^step-\d+\.json$/.test(file));
    for (const file of kept.sort().slice(0, -KEEP)) {
      rmSync(join(folder, file), { force: true });
      rmSync(join(folder, file.replace(".json", ".bin")), { force: true });
    }
  }
}

function dtypeOf(data: NonNullable<TrainingBatch["label"]>["data"]): "uint8" | "uint16" | "float32" {
  return data instanceof Uint8Array ? "uint8" : data instanceof Uint16Array ? "uint16" : "float32";
}

function brief(params: Json): Json {
  return JSON.stringify(params).length > MOST_PARAMS ? null : params;
}

function replace(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.tmp`, content);
  renameSync(`${path}.tmp`, path);
}
