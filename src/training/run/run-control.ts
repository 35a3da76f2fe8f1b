import { closeSync, lstatSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { errorMessage, VoxError } from "../../core/errors.js";
import type { RunCommand, RunRequest } from "../../core/run-events.js";
import type { RunFolder } from "./run-folder.js";

/** The file is looked at this often at most: one `stat`, about ten microseconds. */
const POLL_MS = 200;
const MOST_BYTES = 1 << 16;
const COMMANDS: ReadonlySet<string> = new Set<RunCommand>(["pause", "resume", "stop", "checkpoint", "samples"]);

export interface RunControlOptions {
  readonly folder: RunFolder;
  /** Ends the training as a signal does: with a checkpoint, resumable. */
  readonly abort: (reason: VoxError) => void;
  readonly signal: AbortSignal;
}

/** What the trainer does when it is asked to, between two steps. */
export interface ControlMoment {
  /** The last finished step. */
  readonly step: number;
  readonly checkpoint: () => Promise<void>;
  readonly samples: () => void;
}

/**
 * Obeys `control.jsonl` in the run's folder, one request per line: pause, resume, stop, take a checkpoint, show the next samples. The dashboard or a script
 * appends the requests, also from another process or machine; each that is carried out becomes a `control` event of the run. Made before the session's start
 * event, because requests may come as soon as that is told.
 */
export class RunControl {
  readonly #path: string;
  readonly #options: RunControlOptions;
  readonly #waiting: RunRequest[] = [];
  readonly #seen = new Set<string>();
  #session: number | undefined;
  #isUnreadable = false;
  #offset = 0;
  #polledAt = Number.NEGATIVE_INFINITY;
  #isPaused = false;
  #step = 0;

  constructor(options: RunControlOptions) {
    this.#options = options;
    this.#path = join(options.folder.path, "control.jsonl");
    // Whatever an earlier session did not get to is void.
    rmSync(this.#path, { force: true });
  }

  /** Begins to listen. `session` is `t` of the start event; requests to any other are passed over. */
  begin(session: number): void {
    this.#session = session;
  }

  /** Carries out what was asked for; while the run is paused, resolves only when it goes on or ends. Returns the milliseconds it stood still. */
  async obey(moment: ControlMoment): Promise<number> {
    this.#step = moment.step;
    this.#poll();
    if (this.#waiting.length === 0) return 0;
    const began = performance.now();
    const { signal } = this.#options;
    await this.#carryOut(moment);
    if (!this.#isPaused) return 0;
    while (this.#isPaused && !signal.aborted) {
      await pause(POLL_MS, undefined, { signal }).catch(() => {});
      this.#poll();
      await this.#carryOut(moment);
    }
    return performance.now() - began;
  }

  /** Awaits work that may take long, such as the first batch; a request to stop is heard meanwhile. */
  async during<T>(work: Promise<T>): Promise<T> {
    const timer = setInterval(() => {
      this.#poll();
      const at = this.#waiting.findIndex(({ command }) => command === "stop");
      if (at >= 0) this.#stop(this.#waiting.splice(at, 1)[0]!);
    }, POLL_MS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }

  async #carryOut(moment: ControlMoment): Promise<void> {
    const { folder } = this.#options;
    const { step, checkpoint, samples } = moment;
    for (const request of this.#waiting.splice(0)) {
      const { command, id } = request;
      switch (command) {
        case "pause":
        case "resume":
          this.#isPaused = command === "pause";
          break;
        case "checkpoint":
          // Nothing to save before the first step.
          if (step > 0) await checkpoint();
          break;
        case "samples":
          samples();
          break;
        case "stop":
          this.#stop(request);
          return;
        default:
          command satisfies never;
      }
      folder.event({ type: "control", command, id, step });
    }
  }

  #stop({ id }: RunRequest): void {
    this.#isPaused = false;
    this.#options.folder.event({ type: "control", command: "stop", id, step: this.#step });
    this.#options.abort(new VoxError("stopped on request", { code: "ERR_STOPPED", where: "train" }));
  }

  #poll(): void {
    const now = performance.now();
    if (now - this.#polledAt < POLL_MS) return;
    this.#polledAt = now;
    try {
      this.#read();
      this.#isUnreadable = false;
    } catch (error) {
      // Such as a file that is taken away between two looks, or that only another user may read: no reason to end a training.
      if (!this.#isUnreadable) process.emitWarning(`requests to the run cannot be read: ${errorMessage(error)}`, "VoxstreamWarning");
      this.#isUnreadable = true;
    }
  }

  /** Reads what was appended. Anything that is no request to this session is passed over: the file may be written by anybody who may write the run. */
  #read(): void {
    const found = lstatSync(this.#path, { throwIfNoEntry: false });
    if (!found?.isFile()) return;
    if (found.size < this.#offset) this.#offset = 0;
    if (found.size === this.#offset) return;
    const file = openSync(this.#path, "r");
    try {
      const bytes = Buffer.alloc(Math.min(MOST_BYTES, found.size - this.#offset));
      const count = readSync(file, bytes, 0, bytes.length, this.#offset);
      const end = bytes.lastIndexOf(10, count - 1) + 1;
      // A line without its end waits for it; one that is longer than any request is passed over.
      this.#offset += end > 0 ? end : count === MOST_BYTES ? count : 0;
      for (const line of bytes.toString("utf8", 0, end).split("\n")) {
        const request = readRequest(line);
        if (!request || request.session !== this.#session || this.#seen.has(request.id)) continue;
        this.#seen.add(request.id);
        this.#waiting.push(request);
      }
    } finally {
      closeSync(file);
    }
  }
}

function readRequest(line: string): RunRequest | undefined {
  try {
    const { t, id, session, command } = JSON.parse(line) as Record<string, unknown>;
    if (typeof id !== "string" || id.length === 0 || id.length > 64 || typeof session !== "number" || !COMMANDS.has(command as string))
      return undefined;
    return { t: Number(t), id, session, command: command as RunCommand };
  } catch {
    // Half a line, or no request of ours.
    return undefined;
  }
}
