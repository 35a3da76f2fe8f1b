import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CaseReading } from "../../core/case.js";
import { splitAddress } from "../../core/record-case-sources.js";
import { httpError } from "../http-error.js";
import type { CaseVolume } from "./find-case-volume.js";

/** What the process that converts is told. */
export interface ConversionJob {
  readonly kind: "image" | "label";
  readonly path: string;
  /** The image that a label map belongs to. */
  readonly image?: string;
  readonly reading?: CaseReading;
  /** Bytes of voxels in memory. */
  readonly most: number;
  readonly output: string;
}

interface Converted {
  readonly key: string;
  readonly path: string;
}

const MOST_BYTES = 1 << 30;
const MOST_MS = 120_000;
/** What one looks at again, such as image and ground truth of the case beside. */
const MOST_KEPT = 8;

/**
 * Writes volumes of other formats as NIfTI, which is what the page draws: one after the other, in a process of its own, into a folder that goes when the
 * server closes. The last few are kept.
 */
export class VolumeConverter {
  readonly #signal: AbortSignal;
  #folder: Promise<string> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #kept: readonly Converted[] = [];
  #count = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** The path of the NIfTI file. `image` is that of the case, when a label map is asked for. */
  convert(kind: "image" | "label", volume: CaseVolume, image: CaseVolume | undefined): Promise<string> {
    const mine = this.#last.then(() => this.#convert(kind, volume, image));
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Removes what was written; resolves when nothing runs any more. */
  async close(): Promise<void> {
    await this.#last;
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
  }

  async #convert(kind: "image" | "label", { path, reading, bytes }: CaseVolume, image: CaseVolume | undefined): Promise<string> {
    if (this.#signal.aborted) throw httpError(503, "dashboard", "the dashboard is closing");
    if (bytes > MOST_BYTES) throw httpError(413, "dashboard", `files of a volume must be at most ${MOST_BYTES} bytes to be shown`);
    const changed = await stat(splitAddress(path)[0]).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    const key = JSON.stringify([kind, path, reading ?? null, changed]);
    const known = this.#kept.find((each) => each.key === key);
    if (known) {
      this.#kept = [...this.#kept.filter((each) => each !== known), known];
      return known.path;
    }
    this.#folder ??= mkdtemp(join(tmpdir(), "voxstream-volumes-"));
    const output = join(await this.#folder, `${this.#count++}.nii.gz`);
    const onImage = kind === "label" && image ? { image: image.path } : {};
    await this.#run({ kind, path, ...onImage, ...(reading && { reading }), most: MOST_BYTES, output });
    const all = [...this.#kept, { key, path: output }];
    // One that is being sent stays open until it is sent.
    for (const old of all.slice(0, -MOST_KEPT)) await rm(old.path, { force: true });
    this.#kept = all.slice(-MOST_KEPT);
    return output;
  }

  async #run(job: ConversionJob): Promise<void> {
    // Processes run the built copy: Node 20 loads no TypeScript.
    const entry = new URL(import.meta.url.endsWith(".ts") ? "../../../dist/server/cases/convert-worker.js" : "./convert-worker.js", import.meta.url);
    const child = fork(fileURLToPath(entry), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const end = () => child.kill("SIGKILL");
    const timer = setTimeout(end, MOST_MS);
    this.#signal.addEventListener("abort", end, { once: true });
    try {
      await finished(child, job);
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener("abort", end);
      end();
    }
  }
}

function finished(child: ChildProcess, job: ConversionJob): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(httpError(500, "dashboard", "the volume could not be converted"));
    child.once("error", fail);
    child.once("exit", fail);
    child.once("message", (answer: { readonly isDone: boolean; readonly code?: string; readonly message?: string }) => {
      if (answer.isDone) return resolve();
      // Names paths of this machine: for the owner's log.
      console.error("dashboard:", answer.message);
      const isTooLarge = answer.code === "ERR_MEMORY";
      reject(
        isTooLarge
          ? httpError(413, "dashboard", `a volume must be at most ${job.most} bytes in memory to be shown`)
          : httpError(422, "dashboard", "the volume must be whole and of a format that can be read to be shown"),
      );
    });
    child.send(job);
  });
}
