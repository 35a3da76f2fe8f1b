import { appendFileSync, closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CaseRef } from "../../core/case.js";
import { VoxError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import { makeFolder } from "../../core/make-folder.js";
import { recordCaseSources } from "../../core/record-case-sources.js";
import type { RunEvent } from "../../core/run-events.js";
import { reasonOf } from "../../io/read-error.js";

/** An event without its time: a union loses its members in a plain `Omit`. */
export type RunEventInput = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, "t"> : never) : never;

/** Lengths of the append-only files: where a checkpoint was taken. */
export interface RunMark {
  readonly eventsBytes: number;
  readonly historyBytes: number;
}

export interface OpenRunFolderOptions {
  /** Cuts the files back to a checkpoint, so that what is trained again is not written twice. */
  readonly mark?: RunMark;
  /** Whether the folder must not be there yet: two trainings that begin at once find the same name free. */
  readonly isNew?: boolean;
  readonly onEvent?: (event: RunEvent) => void;
}

/** The files of a run that grow while it trains. Writing is synchronous: an event is in the file before the next step begins. */
export class RunFolder {
  private readonly events: number;
  private readonly history: number;
  private isOver = false;

  private constructor(
    readonly path: string,
    private readonly onEvent: ((event: RunEvent) => void) | undefined,
    { eventsBytes, historyBytes }: RunMark,
  ) {
    this.events = openAt(join(path, "events.jsonl"), eventsBytes);
    this.history = openAt(join(path, "history.tsv"), historyBytes);
  }

  /**
   * Makes the folder, or continues in it.
   *
   * @throws `ERR_WRITE`
   */
  static open(path: string, { mark = { eventsBytes: 0, historyBytes: 0 }, isNew = false, onEvent }: OpenRunFolderOptions = {}): RunFolder {
    return guarded(path, () => {
      if (isNew) makeOwn(path);
      makeFolder(join(path, "checkpoints"));
      return new RunFolder(path, onEvent, mark);
    });
  }

  /** Whether the folder holds a run. */
  static holdsRun(path: string): boolean {
    return existsSync(join(path, "manifest.json"));
  }

  /** Appends one line to `events.jsonl`. The end of a run is the last: what threads still report while they close is not written. */
  event(input: RunEventInput): RunEvent {
    // Spreading a union member and its own `t` gives that member back.
    const event = { t: Date.now(), ...input } as RunEvent;
    if (this.isOver) return event;
    guarded(this.path, () => appendFileSync(this.events, `${JSON.stringify(event)}\n`));
    this.isOver = event.type === "end";
    this.onEvent?.(event);
    return event;
  }

  /** Appends one row to `history.tsv`; the first row brings the header. */
  row(cells: Readonly<Record<string, number | undefined>>): void {
    guarded(this.path, () => {
      if (fstatSync(this.history).size === 0) appendFileSync(this.history, `${Object.keys(cells).join("\t")}\n`);
      appendFileSync(
        this.history,
        `${Object.values(cells)
          .map((cell) => cell ?? "")
          .join("\t")}\n`,
      );
    });
  }

  manifest(content: Json): void {
    guarded(this.path, () => writeFileSync(join(this.path, "manifest.json"), `${JSON.stringify(content, undefined, 2)}\n`));
  }

  /** Notes where the files of the cases lie, for those who want to look at them beside the run. */
  sources(cases: readonly CaseRef[]): void {
    guarded(this.path, () => recordCaseSources(this.path, cases));
  }

  /** Where the files end now, on the disk. */
  mark(): RunMark {
    return guarded(this.path, () => {
      fsyncSync(this.events);
      fsyncSync(this.history);
      return { eventsBytes: fstatSync(this.events).size, historyBytes: fstatSync(this.history).size };
    });
  }

  close(): void {
    this.isOver = true;
    closeSync(this.events);
    closeSync(this.history);
  }
}

/** Opens for appending, cut back to `bytes` and then to the last whole line. */
function openAt(path: string, bytes: number): number {
  const file = openSync(path, "a+");
  let end = Math.min(bytes, fstatSync(file).size);
  const one = Buffer.alloc(1);
  while (end > 0 && readSync(file, one, 0, 1, end - 1) === 1 && one[0] !== 10) end--;
  ftruncateSync(file, end);
  return file;
}

function makeOwn(path: string): void {
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Error("another training has just begun it; begin again for a name of its own");
  }
}

function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new VoxError(`the run folder cannot be written: ${reasonOf(error)}`, { code: "ERR_WRITE", where: path, cause: error });
  }
}
