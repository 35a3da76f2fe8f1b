import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CaseReading } from "../../core/case.js";
import { httpError } from "../http-error.js";

/** What the process that draws is told. */
export interface OverlayJob {
  readonly id: string;
  readonly image: string;
  readonly label?: string;
  readonly reading?: CaseReading;
  /** Folder of `<id>.nii.gz`. */
  readonly predictions: string;
  readonly classes: readonly string[];
  readonly output: string;
}

const MOST_MS = 60_000;
let last: Promise<unknown> = Promise.resolve();

/**
 * Draws a case in a process of its own: its film through all slices, or the slice that tells most, ground truth beside prediction over the image. One after
 * the other, whatever the number of those who ask.
 */
export function renderOverlay(job: Omit<OverlayJob, "output">, kind: "gif" | "png", signal: AbortSignal): Promise<Buffer> {
  const mine = last.then(() => draw(job, kind, signal));
  last = mine.catch(() => {});
  return mine;
}

async function draw(job: Omit<OverlayJob, "output">, kind: "gif" | "png", signal: AbortSignal): Promise<Buffer> {
  if (signal.aborted) throw httpError(503, "dashboard", "the dashboard is closing");
  const output = await mkdtemp(join(tmpdir(), "voxstream-overlay-"));
  // Processes run the built copy: Node 20 loads no TypeScript.
  const entry = new URL(import.meta.url.endsWith(".ts") ? "../../../dist/server/cases/overlay-worker.js" : "./overlay-worker.js", import.meta.url);
  const child = fork(fileURLToPath(entry), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), MOST_MS);
  const onAbort = () => child.kill("SIGKILL");
  signal.addEventListener("abort", onAbort, { once: true });
  // It may have come while the folder was made.
  if (signal.aborted) onAbort();
  try {
    await finished(child, { ...job, output });
    return await readFile(join(output, `${job.id}.${kind}`));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    child.kill("SIGKILL");
    await rm(output, { recursive: true, force: true });
  }
}

function finished(child: ChildProcess, job: OverlayJob): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(httpError(500, "dashboard", "the picture could not be drawn"));
    child.once("error", fail);
    child.once("exit", fail);
    child.once("message", (answer: { readonly isDone: boolean; readonly message?: string }) => {
      if (answer.isDone) resolve();
      else {
        // Names paths of this machine: for the owner's log.
        console.error("dashboard:", answer.message);
        reject(httpError(422, "dashboard", "image, label map and prediction must be whole NIfTI files on one grid to be drawn"));
      }
    });
    child.send(job);
  });
}
