import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { CaseRef } from "../core/case.js";
import { recordCaseSources } from "../core/record-case-sources.js";
import type { PredictProgress } from "../inference/index.js";
import { appendRunEvent } from "../training/index.js";

/** Tells the dashboard of a prediction. */
export interface PredictionRun {
  onProgress(progress: PredictProgress): void;
  /** `message` says why it failed. */
  end(status: "completed" | "stopped" | "failed", message?: string): void;
}

/**
 * Writes what a prediction does into `events.jsonl` beside its label maps, so that the dashboard shows the folder like a run: each case as soon as it is
 * written, failures, and the end; and where the files of the cases lie.
 */
export function predictionRun(folder: string, engine: string, cases: readonly CaseRef[]): PredictionRun {
  let isBegun = false;
  const begin = (): void => {
    if (isBegun) return;
    isBegun = true;
    appendRunEvent(folder, {
      type: "start",
      run: basename(resolve(folder)),
      seed: 0,
      engine,
      epochs: 0,
      classes: classesOf(folder),
      pid: process.pid,
    });
    recordCaseSources(folder, cases);
  };
  return {
    onProgress({ id, state, path = "", seconds = 0, message = "" }) {
      begin();
      if (state === "written" || state === "present") appendRunEvent(folder, { type: "prediction", id, path, seconds });
      if (state === "failed") appendRunEvent(folder, { type: "warning", message: `${id} was not predicted: ${message}` });
    },
    end(status, message) {
      begin();
      appendRunEvent(folder, { type: "end", status, ...(message !== undefined && { message }) });
    },
  };
}

/** The class names stand in `prediction.json`, which is written before the first case. */
function classesOf(folder: string): readonly string[] {
  try {
    const { classes } = JSON.parse(readFileSync(join(folder, "prediction.json"), "utf8")) as { readonly classes?: unknown };
    return Array.isArray(classes) ? classes.map(String) : [];
  } catch {
    // A prediction that failed before it began has none; the page then numbers the classes.
    return [];
  }
}
