import { native, nativeMissingReason } from "../kernels/native.js";

/** Commands that work through voxels; `bench` and `engines` say themselves what they run on. */
const AT_WORK: ReadonlySet<string> = new Set(["demo", "phantom", "inspect", "verify", "init", "train", "crossval", "predict", "evaluate"]);

/** Says once, on stderr, that the command will be slow because the native addon is not there, and why. */
export function noteSlowKernels(command: string): void {
  if (!AT_WORK.has(command) || native()) return;
  process.stderr.write(
    `note: the native addon is not in use (${nativeMissingReason()}); everything runs on the TypeScript kernels and engine cpu, which is many times slower\n`,
  );
}
