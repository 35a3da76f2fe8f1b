import { type Observable, take, tap } from "rxjs";
import type { CaseStore, StoredCase } from "../../cache/case-store.js";
import type { Batch, BatchPart } from "../../core/batch.js";
import { formatBytes } from "../../core/bytes.js";
import { isVoxError, VoxError } from "../../core/errors.js";
import { axisAligned } from "../../core/geometry.js";
import type { Json } from "../../core/json.js";
import type { RunContext } from "../../core/run-context.js";
import type { Shape4, Shape5 } from "../../core/shape.js";
import type { Graph } from "../../streams/graph.js";
import type { Position } from "../../streams/position.js";
import { type Run, run } from "../../streams/run.js";
import { to } from "../../streams/to.js";

export interface PreparedSetOptions {
  readonly store: CaseStore;
  /** Hash of all that decides what the batches are. */
  readonly key: string;
  /** Bytes of voxels that the store may hold. */
  readonly limit: number;
  /** The flow that makes the batches, and where it begins. */
  readonly flow: () => Observable<Batch>;
  readonly begin: Position;
  readonly context: RunContext;
  /** The graph that wants the batches; samples that are left out are reported there. */
  readonly graph: Graph;
}

/** How far a set is, as it stands in the store: after a kill, preparation goes on from here. */
interface Progress {
  readonly count: number;
  readonly position: Position;
  readonly isDone: boolean;
  /** Samples that failed and are missing. */
  readonly failed: readonly string[];
}

/** The batches of one epoch in the store, which a graph of its own makes while they are being read. */
export class PreparedSet {
  private progress: Progress;
  private job: Run | undefined;
  private fault: { readonly error: unknown } | undefined;
  private mending: Promise<void> | undefined;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: PreparedSetOptions) {
    const { store, key, begin, graph } = options;
    const note = store.note(`prepared.${key}`);
    this.progress = note ? (JSON.parse(note) as Progress) : { count: 0, position: begin, isDone: false, failed: [] };
    const { failed } = this.progress;
    if (failed.length > 0)
      graph.warn("cached", new Error(`the prepared batches lack ${failed.length} samples that failed: ${failed.slice(0, 5).join(", ")}`));
  }

  /** Whether there is a batch of that number; waits until it is made or known not to exist. */
  async has(index: number): Promise<boolean> {
    while (index >= this.progress.count && !this.progress.isDone) {
      if (this.fault) throw this.fault.error;
      this.job ??= this.prepare();
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
    return index < this.progress.count;
  }

  /** Number of batches; waits until all are made. */
  async count(): Promise<number> {
    await this.has(Number.POSITIVE_INFINITY);
    return this.progress.count;
  }

  /** A batch of the set. `again` makes what is missing or damaged once more. */
  read(index: number): StoredCase | undefined {
    const { store, context } = this.options;
    store.keepBeside(context.pool.budget);
    return store.read(this.keyOf(index));
  }

  /** Makes batches again that are gone or damaged. */
  mend(signal: AbortSignal): Promise<void> {
    this.mending ??= this.mendAll(signal).finally(() => {
      this.mending = undefined;
    });
    return this.mending;
  }

  async stop(): Promise<void> {
    await this.job?.stop();
  }

  private keyOf(index: number): string {
    return `${this.options.key}.${index}`;
  }

  private prepare(): Run {
    const { store, key, flow, context, graph } = this.options;
    const failed = [...this.progress.failed];
    let index = this.progress.count;
    const write = to<Batch>((batch) => this.write(index, batch), { name: "cached.write" });
    const save = (change: Partial<Progress>): void => {
      this.progress = { ...this.progress, ...change, failed };
      store.setNote(`prepared.${key}`, JSON.stringify(this.progress));
      this.wake();
    };
    const job = run(
      "cached",
      [
        flow().pipe(
          write,
          tap((position) => save({ count: ++index, position })),
        ),
      ],
      {
        context,
        from: this.progress.position,
        onSkip: (record) => {
          if (record.error !== undefined) failed.push(record.id);
          graph.recordSkip(record);
        },
      },
    );
    const end = async (): Promise<void> => {
      try {
        if ((await job.done) === "stopped") throw new VoxError("the preparation of batches was stopped", { code: "ERR_STOPPED", where: "cached" });
        save({ isDone: true });
      } catch (error) {
        this.fault = { error };
      }
      this.wake();
    };
    void end();
    return job;
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  private async write(index: number, batch: Batch): Promise<void> {
    const { store, limit } = this.options;
    if (await store.write(this.keyOf(index), recordOf(batch), arraysOf(batch), limit)) return;
    if (store.isReadOnly) {
      throw new VoxError(`prepared batches must be in the cache in ${store.folder} or be written to it, but it can only be read`, {
        code: "ERR_CACHE",
        where: "cached",
      });
    }
    throw new VoxError(
      `prepared batches must fit the quota of ${formatBytes(limit)}, but after ${index} of them ${formatBytes(store.bytes)} are in use; raise it, or let cached end before patch`,
      { code: "ERR_CACHE", where: "cached" },
    );
  }

  private async mendAll(signal: AbortSignal): Promise<void> {
    const { store, flow, begin, context } = this.options;
    let index = 0;
    const mend = to<Batch>(async (batch) => {
      const key = this.keyOf(index++);
      if (!store.record(key) || store.damage(key) > 0) await store.rewrite(key, recordOf(batch), arraysOf(batch));
    });
    const job = run("cached", [flow().pipe(take(this.progress.count), mend)], { context, from: begin, signal });
    await job.done;
    process.emitWarning(`the cache in ${store.folder} held damaged prepared batches; they have been made again`, "VoxstreamWarning");
  }
}

/** Whether reading a prepared batch failed in a way that making it again repairs. */
export function isDamage(error: unknown): boolean {
  return isVoxError(error) && (error.code === "ERR_CHECKSUM" || error.code === "ERR_CACHE");
}

/** Arrays of a batch lie one behind the other, as the slices of one deep volume. */
function recordOf({ image, label, parts }: Batch): Parameters<CaseStore["write"]>[1] {
  const layout = ({ shape: [count, depth, height, width, channels] }: { readonly shape: Shape5 }) => ({
    shape: [count * depth, height, width, channels] as Shape4,
    geometry: axisAligned(),
    minimum: new Array<number>(channels).fill(0),
  });
  return {
    id: parts.length > 1 ? `batch ${parts[0]!.id}..${parts.at(-1)!.id}` : `batch ${parts[0]!.id}`,
    made: "batch",
    image: { dtype: "float32", ...layout(image) },
    // Labels of graphs are integers.
    ...(label && { label: { dtype: label.dtype as "uint8" | "uint16", ...layout(label) } }),
    history: [],
    extra: { parts: parts as unknown as Json },
  };
}

function arraysOf({ image, label }: Batch): Parameters<CaseStore["write"]>[2] {
  return { image: image.data, ...(label && { label: label.data as Uint8Array | Uint16Array }) };
}

/** What a stored batch remembers of its samples. */
export function storedParts({ record }: StoredCase): readonly BatchPart[] {
  return record.extra?.parts as unknown as readonly BatchPart[];
}
