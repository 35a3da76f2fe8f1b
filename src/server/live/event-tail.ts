import { type FileHandle, open, stat } from "node:fs/promises";
import type { RunEvent } from "../../core/run-events.js";
import { ANCHOR_BYTES, eventAnchor } from "./event-anchor.js";
import { parseEvent } from "./parse-event.js";
import { StepLineReader } from "./step-line-reader.js";

/** Room for one reading step; also the longest line that is read. */
export const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

type StepEvent = Extract<RunEvent, { readonly type: "step" }>;

export interface EventTailOptions {
  readonly file: string;
  /** Working memory, lent by an owner that advances its tails one after the other. */
  readonly chunk: Buffer;
  /** Called for every event in order; `mark` is the byte offset of its line. */
  readonly onEvent: (event: RunEvent, mark: number) => void;
  /** Called instead for steps that are read the fast way, when given. */
  readonly onStep?: (row: StepLineReader, mark: number) => void;
  /** Called after the last of several such steps, before anything else is reported. */
  readonly onLastStep?: (event: StepEvent) => void;
  /** Called when the file was cut or replaced, before it is read again from the beginning. */
  readonly onReset: () => void;
}

/**
 * Follows one `events.jsonl`: every call of `advance` reads what was appended, at most one chunk. A last line without its newline waits until it is whole;
 * lines that are no events are counted and skipped; a line longer than a chunk is skipped as one. A file that shrank, or whose bytes before the reading
 * position changed, is read again from the beginning.
 */
export class EventTail {
  offset = 0;
  /** Size of the file when it was last looked at. */
  size = 0;
  /** When the file was last written, in milliseconds since 1970. */
  modified = 0;
  corruptLines = 0;
  readonly #options: EventTailOptions;
  #before: Buffer = Buffer.alloc(0);
  #isInLongLine = false;
  readonly #steps = new StepLineReader();
  /** Size, time and inode at which there was nothing more to read. */
  #idleVersion: string | undefined;

  constructor(options: EventTailOptions) {
    this.#options = options;
  }

  /** Learns size and age of the file without reading it. */
  async look(): Promise<void> {
    try {
      const { size, mtimeMs } = await stat(this.#options.file);
      this.size = size;
      this.modified = mtimeMs;
    } catch {
      // `advance` reports it as gone.
      this.size = 0;
    }
  }

  get anchor(): string {
    return eventAnchor(this.offset, this.#before);
  }

  /** Reads the next chunk. Returns "gone" when the file cannot be read, "more" when there is more to read now, "end" otherwise. */
  async advance(): Promise<"more" | "end" | "gone"> {
    const { chunk, file } = this.#options;
    let handle: FileHandle | undefined;
    try {
      const { size, mtimeMs, ino } = await stat(file);
      const version = `${size} ${mtimeMs} ${ino}`;
      this.size = size;
      this.modified = mtimeMs;
      if (version === this.#idleVersion) return "end";
      this.#idleVersion = undefined;
      if (size < this.offset) this.#reset();
      handle = await open(file, "r");
      const before = this.#before.length;
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, this.offset - before);
      if (bytesRead < before || chunk.compare(this.#before, 0, before, 0, before) !== 0) {
        this.#reset();
        return "more";
      }
      const result = this.#consume(before, bytesRead, bytesRead === chunk.length);
      if (result === "end") this.#idleVersion = version;
      return result;
    } catch {
      // Deleted, or not readable for us: the catalog drops the run.
      return "gone";
    } finally {
      await handle?.close();
    }
  }

  #reset(): void {
    this.offset = 0;
    this.corruptLines = 0;
    this.#before = Buffer.alloc(0);
    this.#isInLongLine = false;
    this.#options.onReset();
  }

  #consume(start: number, end: number, isFull: boolean): "more" | "end" {
    const { chunk } = this.#options;
    const lastNewline = end > start ? chunk.lastIndexOf(NEWLINE, end - 1) : -1;
    if (lastNewline < start) {
      if (!isFull) return "end";
      // A whole chunk without a newline is no event of ours: step over it, up to the newline that ends it.
      if (!this.#isInLongLine) this.corruptLines++;
      this.#isInLongLine = true;
      this.#moveTo(start, end);
      return "more";
    }
    const text = chunk.toString("utf8", start, lastNewline);
    // Byte offsets are needed only per line; in pure ASCII they equal the positions in the text.
    const isAscii = text.length === lastNewline - start;
    let mark = this.offset;
    let position = 0;
    const { onStep, onLastStep } = this.#options;
    let isStepPending = false;
    while (position <= text.length) {
      let stop = text.indexOf("\n", position);
      if (stop < 0) stop = text.length;
      if (onStep && !this.#isInLongLine && this.#steps.read(text, position, stop)) {
        onStep(this.#steps, mark);
        isStepPending = true;
      } else {
        if (isStepPending) onLastStep?.(this.#steps.event());
        isStepPending = false;
        this.#line(text.slice(position, stop), mark);
      }
      mark += (isAscii ? stop - position : Buffer.byteLength(text.slice(position, stop))) + 1;
      position = stop + 1;
    }
    if (isStepPending) onLastStep?.(this.#steps.event());
    this.#moveTo(start, lastNewline + 1);
    return isFull ? "more" : "end";
  }

  #line(line: string, mark: number): void {
    if (this.#isInLongLine) {
      this.#isInLongLine = false;
      return;
    }
    const event = parseEvent(line);
    if (event) {
      this.#options.onEvent(event, mark);
      if (event.type === "step") this.#steps.learn(line);
    } else if (line.trim() !== "") this.corruptLines++;
  }

  #moveTo(start: number, end: number): void {
    this.offset += end - start;
    this.#before = Buffer.from(this.#options.chunk.subarray(Math.max(0, end - ANCHOR_BYTES), end));
  }
}
