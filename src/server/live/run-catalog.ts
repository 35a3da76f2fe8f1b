import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { containedPath } from "../files/contained-path.js";
import { ANCHOR_BYTES } from "./event-anchor.js";
import { CHUNK_BYTES } from "./event-tail.js";
import type { RunSummary } from "./summarize-run.js";
import { WatchedRun } from "./watched-run.js";

export interface RunCatalogOptions {
  /** Real path of the folder of runs, or of a single run. */
  readonly root: string;
  readonly pollMs: number;
}

const EVENTS = "events.jsonl";
const FOLD = /^fold-\d+$/;
const VARIANTS = "variants";
const MOST_RUNS = 2000;
/** The folder is listed anew with every n-th look at the files. */
const POLLS_PER_SCAN = 4;

/**
 * All runs below a folder: `<name>`, the folds of cross-validations `<name>/fold-<i>`, the folds of comparisons `<name>/<variant>-seed-<n>/fold-<i>`, or those
 * of the folder itself when it is one of these. One loop looks for new and deleted runs
 * and reads what was appended, a megabyte at a time: first the run that somebody looks at, then the latest.
 */
export class RunCatalog {
  readonly #root: string;
  readonly #pollMs: number;
  readonly #runs = new Map<string, WatchedRun>();
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES + ANCHOR_BYTES);
  readonly #stop = new AbortController();
  #focus: string | undefined;
  #loop: Promise<void> | undefined;

  constructor({ root, pollMs }: RunCatalogOptions) {
    this.#root = root;
    this.#pollMs = pollMs;
  }

  /** Finds the runs and starts to read them in the background. */
  async start(): Promise<void> {
    await this.#scan();
    this.#loop = this.#watch();
  }

  /** Latest first. */
  list(now: number): RunSummary[] {
    return [...this.#runs.values()].map((run) => run.summary(now)).sort((a, b) => (b.started ?? b.updated) - (a.started ?? a.updated));
  }

  /** Runs that are being written. */
  live(now: number): WatchedRun[] {
    return [...this.#runs.values()].filter((run) => ["running", "paused"].includes(run.summary(now).state));
  }

  /** A run by its id, which is never used as a path. Reading it goes first from now on. */
  get(id: string): WatchedRun | undefined {
    const run = this.#runs.get(id);
    if (run) this.#focus = id;
    return run;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    for (const run of this.#runs.values()) run.drop();
    this.#runs.clear();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    for (let poll = 1; !signal.aborted; poll++) {
      if (poll % POLLS_PER_SCAN === 0) await this.#scan();
      await this.#readAll();
      await pause(this.#pollMs, signal);
    }
  }

  async #readAll(): Promise<void> {
    let waiting = [...this.#runs.values()];
    waiting.sort((a, b) => b.tail.modified - a.tail.modified);
    while (waiting.length > 0 && !this.#stop.signal.aborted) {
      const focused = waiting.findIndex((run) => run.id === this.#focus);
      const run = waiting[Math.max(0, focused)]!;
      if (!(await run.advance())) waiting = waiting.filter((other) => other !== run);
      if (run.isGone) this.#runs.delete(run.id);
    }
  }

  async #scan(): Promise<void> {
    const found = new Map<string, string>();
    const add = async (id: string, ...names: string[]) => {
      const file = await containedPath(this.#root, ...names, EVENTS);
      if (file && found.size < MOST_RUNS) found.set(id, file);
      return file !== undefined;
    };
    const own = basename(this.#root);
    const isRun = await add(own);
    /** The folds in one folder. */
    const addFolds = async (id: string, names: readonly string[], within: readonly string[]) => {
      for (const fold of within) if (FOLD.test(fold)) await add(`${id}/${fold}`, ...names, fold);
    };
    /** What is in the folder of a run, of a cross-validation, or of a comparison: `variants/<variant>-seed-<n>/fold-<i>`. */
    const addWithin = async (id: string, names: readonly string[], within: readonly string[]) => {
      await addFolds(id, names, within);
      if (!within.includes(VARIANTS)) return;
      for (const variant of await folders(this.#root, ...names, VARIANTS)) {
        const path = [...names, VARIANTS, variant];
        await addFolds(`${id}/${variant}`, path, await folders(this.#root, ...path));
      }
    };
    const top = await folders(this.#root);
    await addWithin(own, [], top);
    for (const name of isRun ? [] : top.filter((one) => !FOLD.test(one) && one !== VARIANTS)) {
      await add(name, name);
      await addWithin(name, [name], await folders(this.#root, name));
    }
    for (const [id, run] of this.#runs) {
      if (found.get(id) === run.file) continue;
      run.drop();
      this.#runs.delete(id);
    }
    for (const [id, file] of found) {
      if (this.#runs.has(id)) continue;
      const run = new WatchedRun({ id, folder: dirname(file), file, chunk: this.#chunk });
      await run.tail.look();
      this.#runs.set(id, run);
    }
  }
}

async function folders(root: string, ...names: string[]): Promise<string[]> {
  const folder = names.length === 0 ? root : await containedPath(root, ...names);
  if (!folder) return [];
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    // A symbolic link to a folder is followed when it stays below the root, which `containedPath` decides.
    return entries.filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && isPrintable(entry.name)).map((entry) => entry.name);
  } catch {
    // Deleted since it was listed, or not readable for us: there are no runs to show in it.
    return [];
  }
}

function isPrintable(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
  return name.length <= 200 && !/[\u0000-\u001f\u007f]/.test(name) && !name.startsWith(".");
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
