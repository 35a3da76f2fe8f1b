import { open } from "node:fs/promises";
import { BucketTable, type BucketTableState } from "./bucket-table.js";
import { ANCHOR_BYTES, anchorOffset, eventAnchor } from "./event-anchor.js";
import { CHUNK_BYTES, EventTail } from "./event-tail.js";
import { parseEvent } from "./parse-event.js";
import { RunRecord, type RunRecordState } from "./run-record.js";
import { type RunSummary, summarizeRun } from "./summarize-run.js";

/** Everything the page needs to show a run; `anchor` is where the live events go on. */
export interface RunSnapshot {
  readonly summary: RunSummary;
  readonly anchor: string;
  readonly record: RunRecordState;
}

/** A piece of the event stream: valid lines, and the anchor behind them. */
export interface EventLines {
  readonly lines: readonly string[];
  readonly anchor: string;
}

export interface WatchedRunOptions {
  readonly id: string;
  /** Real path of the run's folder. */
  readonly folder: string;
  /** Real path of its event file. */
  readonly file: string;
  readonly chunk: Buffer;
}

const MOST_DETAIL_BYTES = 48 << 20;

/** One run folder under watch: its tail, what was folded from it, and who waits for news. */
export class WatchedRun {
  readonly id: string;
  readonly folder: string;
  readonly file: string;
  readonly tail: EventTail;
  record = new RunRecord();
  /** Grows when the file was cut or replaced: whoever streams it must begin anew. */
  generation = 0;
  /** Grows with every change. */
  version = 0;
  isGone = false;
  /** Whether the file has been read to its end at least once since the last reset. */
  isCaughtUp = false;
  readonly #waiting = new Set<() => void>();
  #shared: { readonly anchor: string; readonly version: number; readonly piece: Promise<EventLines | undefined> } | undefined;

  constructor({ id, folder, file, chunk }: WatchedRunOptions) {
    this.id = id;
    this.folder = folder;
    this.file = file;
    this.tail = new EventTail({
      file,
      chunk,
      onEvent: (event, mark) => this.record.apply(event, mark),
      onStep: ({ step, time, names, values }, mark) => this.record.applyStep(step, time, mark, names, values),
      onLastStep: (event) => {
        this.record.step = event;
      },
      onReset: () => {
        this.record = new RunRecord();
        this.generation++;
        this.isCaughtUp = false;
      },
    });
  }

  /** Reads the next piece of the file and wakes those who wait for it. Returns whether there is more to read now. */
  async advance(): Promise<boolean> {
    const { offset } = this.tail;
    const { generation, isCaughtUp } = this;
    const result = await this.tail.advance();
    if (result === "gone") this.isGone = true;
    if (result === "end") this.isCaughtUp = true;
    if (this.isGone || this.tail.offset !== offset || this.generation !== generation || this.isCaughtUp !== isCaughtUp) this.#wake();
    return result === "more";
  }

  /** Marks the run as deleted. */
  drop(): void {
    this.isGone = true;
    this.#wake();
  }

  /**
   * Settles when something has happened since `version`: the file has grown, was read to its end, replaced or deleted; or when `signal` aborts.
   * The version is taken before the state is looked at, or what happens in between would be slept through.
   */
  changed(version: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.isGone || version !== this.version) return resolve();
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  summary(now: number): RunSummary {
    const { size, offset, modified, corruptLines } = this.tail;
    return summarizeRun(this.id, this.record, {
      now,
      modified,
      corruptLines,
      progress: this.isCaughtUp || size === 0 ? 1 : Math.min(0.999, offset / size),
    });
  }

  snapshot(now: number): RunSnapshot {
    return { summary: this.summary(now), anchor: this.tail.anchor, record: this.record.toJSON() };
  }

  /**
   * The event lines behind `anchor`, at most a megabyte of them; none when there is nothing new; undefined when the anchor no longer fits the file,
   * so that the reader must load the run anew.
   */
  linesAfter(anchor: string): Promise<EventLines | undefined> {
    // Viewers that are up to date all ask for the same piece: it is read once.
    if (this.#shared?.anchor !== anchor || this.#shared.version !== this.version) {
      this.#shared = { anchor, version: this.version, piece: this.#readAfter(anchor) };
    }
    return this.#shared.piece;
  }

  async #readAfter(anchor: string): Promise<EventLines | undefined> {
    const offset = anchorOffset(anchor);
    if (offset === undefined || offset > this.tail.offset) return undefined;
    const before = Math.min(offset, ANCHOR_BYTES);
    const length = Math.min(CHUNK_BYTES, this.tail.offset - offset);
    const bytes = await this.#bytes(offset - before, before + length);
    // Not readable: deleted a moment ago. Nothing new until the tail has seen it, too.
    if (!bytes) return { lines: [], anchor };
    if (eventAnchor(offset, bytes.subarray(0, before)) !== anchor) return undefined;
    if (length === 0) return { lines: [], anchor };
    const newline = bytes.lastIndexOf(10);
    // No newline in the whole piece: a line that the tail stepped over as too long. It holds no event, so step over it as well.
    const end = newline < before ? bytes.length : newline + 1;
    const lines = bytes.toString("utf8", before, end).split("\n");
    return {
      lines: lines.filter((line) => parseEvent(line) !== undefined),
      anchor: eventAnchor(offset + end - before, bytes.subarray(Math.max(0, end - ANCHOR_BYTES), end)),
    };
  }

  /** The step curves between two steps in finer buckets than the record's, read again from the file; undefined when that part is too long to be read. */
  async detail(from: number, to: number): Promise<BucketTableState | undefined> {
    const marks = this.record.steps.marks(from, to);
    if (!marks) return undefined;
    const end = marks.end ?? this.tail.offset;
    if (end - marks.start > MOST_DETAIL_BYTES || end <= marks.start) return undefined;
    const part = new RunRecord();
    part.steps = new BucketTable({ capacity: 2048 });
    let carried = "";
    for (let position = marks.start; position < end; ) {
      const bytes = await this.#bytes(position, Math.min(CHUNK_BYTES, end - position));
      if (!bytes || bytes.length === 0) return undefined;
      position += bytes.length;
      // Latin-1 keeps cut-off multi-byte characters whole across pieces; step lines hold names only in their keys, decoded below.
      const lines = (carried + bytes.toString("latin1")).split("\n");
      carried = lines.pop()!;
      for (const line of lines) {
        const event = parseEvent(Buffer.from(line, "latin1").toString("utf8"));
        if (event?.type === "start" || (event?.type === "step" && event.step >= from && event.step <= to)) part.apply(event);
      }
    }
    return part.steps.toJSON();
  }

  async #bytes(position: number, length: number): Promise<Buffer | undefined> {
    try {
      const handle = await open(this.file, "r");
      try {
        const bytes = Buffer.allocUnsafe(length);
        const { bytesRead } = await handle.read(bytes, 0, length, position);
        return bytes.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    } catch {
      // Deleted between two reads: the caller treats it as a file that no longer fits, the catalog drops the run.
      return undefined;
    }
  }

  #wake(): void {
    this.version++;
    for (const wake of [...this.#waiting]) wake();
  }
}
