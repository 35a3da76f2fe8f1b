import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ADDON_FILES } from "../kernels/find-addon.js";
import { native, nativeMissingReason } from "../kernels/native.js";
import { registerNative } from "./native/register-native.js";
import { type TensorflowPackage, tensorflowState } from "./tensorflow-package.js";
import { openedCard } from "./webgpu/gpu-backend.js";
import { registerWebgpu } from "./webgpu/register-webgpu.js";
import { webgpuMissing } from "./webgpu/webgpu-missing.js";

export type EngineName = "native" | "webgpu" | "cpu" | "tensorflow" | "tensorflow-gpu";

/** What is known of an engine without running it, and how it is made ready. A new engine is one entry here. */
export interface EngineEntry {
  readonly name: EngineName;
  /** The TensorFlow.js backend that it is. */
  readonly backend: string;
  /** Why it is not available here, or undefined when it is. */
  missing(): string | undefined;
  /** Registers the backend. */
  load(threads: number): Promise<void>;
  /** Threads that it uses; called after `load`. */
  threads(): number;
  /** Names everything that may change what its kernels compute, for the cache of self-checks; undefined for the reference, which is not checked. */
  version(): string | undefined;
}

function tensorflow(name: "tensorflow" | "tensorflow-gpu", packageName: TensorflowPackage): EngineEntry {
  return {
    name,
    backend: "tensorflow",
    missing: () => tensorflowState(packageName).reason,
    async load() {
      await import(pathToFileURL(tensorflowState(packageName).entry!).href);
    },
    // Its pool has a thread per core and takes no number.
    threads: () => availableParallelism(),
    version: () => packageName,
  };
}

/** All engines, the one that `auto` prefers first. */
export const ENGINES: readonly EngineEntry[] = [
  tensorflow("tensorflow-gpu", "@tensorflow/tfjs-node-gpu"),
  {
    name: "native",
    backend: "native",
    missing: () => (native() ? undefined : nativeMissingReason()),
    async load(threads) {
      const addon = native()!;
      registerNative(addon);
      if (threads > 0) addon.setThreadCount(threads);
    },
    threads: () => native()!.threadCount(),
    version: () => `${native()!.isa} ${builtAt()}`,
  },
  {
    name: "webgpu",
    backend: "webgpu",
    missing: webgpuMissing,
    load: registerWebgpu,
    // What feeds the card is one thread.
    threads: () => 1,
    version: () => `${openedCard() ?? "no card opened"} ${builtAt()}`,
  },
  tensorflow("tensorflow", "@tensorflow/tfjs-node"),
  {
    name: "cpu",
    backend: "cpu",
    missing: () => undefined,
    load: async () => undefined,
    threads: () => 1,
    version: () => undefined,
  },
];

/** Size and time of the addon, of the kernels' own files and of the check itself: a new build or version is checked again. */
function builtAt(): string {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const here = fileURLToPath(new URL("./", import.meta.url));
  const folders = ["native", "webgpu", "self-check", "ops", "."].map((folder) => join(here, folder));
  const sources = folders.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)));
  const state = [...ADDON_FILES.map((file) => root + file), ...sources, `${root}package.json`].map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() ? `${stat.size}-${stat.mtimeMs}` : "";
  });
  return createHash("sha256").update(state.join(" ")).digest("hex").slice(0, 16);
}
