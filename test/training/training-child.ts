import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunEvent } from "../../src/core/run-events.js";

export interface ChildEnd {
  readonly code: number | null;
  readonly output: string;
}

/** Trainings in processes of their own, which can be killed; and what they leave in their folders below `root`. */
export interface TrainingChildren {
  start(config: string, name: string, resume: boolean): { readonly child: ChildProcess; readonly ended: Promise<ChildEnd> };
  events(name: string): RunEvent[];
  /** What must be the same after any interruption. */
  steps(name: string): readonly { readonly step: number; readonly epoch: number; readonly loss: number }[];
  history(name: string): string;
  /** Hash of the last weights. */
  weights(name: string): string;
  untilStep(name: string, step: number): Promise<void>;
}

export function trainingChildren(root: string): TrainingChildren {
  const script = join(root, "train.mjs");
  const library = new URL("../../dist/training/train.js", import.meta.url).href;
  writeFileSync(
    script,
    `import { train } from ${JSON.stringify(library)};
const [path, name, resume] = process.argv.slice(2);
const result = await train(path, { resume: resume === "resume", stopOnSignals: true, overrides: { name } });
console.log(JSON.stringify(result));
`,
  );
  const events = (name: string): RunEvent[] => {
    const path = join(root, name, "events.jsonl");
    if (!existsSync(path)) return [];
    // The last line may be in the middle of being written.
    return readFileSync(path, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as RunEvent);
  };
  const steps = (name: string) =>
    events(name).flatMap((event) =>
      event.type === "step" ? [{ step: event.step, epoch: event.epoch, loss: event.loss, metrics: event.metrics, rate: event.learningRate }] : [],
    );
  return {
    start(config, name, resume) {
      const child = spawn(process.execPath, [script, config, name, resume ? "resume" : "fresh"], { stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      child.stdout!.on("data", (chunk) => {
        output += chunk;
      });
      child.stderr!.on("data", (chunk) => {
        output += chunk;
      });
      return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, output }))) };
    },
    events,
    steps,
    history: (name) => readFileSync(join(root, name, "history.tsv"), "utf8"),
    weights: (name) =>
      (JSON.parse(readFileSync(join(root, name, "checkpoints/latest/bundle.json"), "utf8")) as { weights: { sha256: string } }).weights.sha256,
    async untilStep(name, step) {
      while ((steps(name).at(-1)?.step ?? 0) < step) await sleep(5);
    },
  };
}
