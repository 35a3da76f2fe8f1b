import "@tensorflow/tfjs-backend-cpu";
import { availableParallelism } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import { didYouMean } from "../core/did-you-mean.js";
import { describe, errorMessage, requireOption, VoxError } from "../core/errors.js";
import { requireKnownOptions } from "../core/require-known-options.js";
import { ENGINES, type EngineEntry, type EngineName } from "./engines.js";
import { installGradientTape } from "./install-gradient-tape.js";
import { NativeBackend } from "./native/native-backend.js";
import { nativeCalls } from "./native/register-native.js";
import { registerGradients } from "./register-gradients.js";
import { rememberedCheck } from "./self-check/remembered-check.js";
import { describeFailures } from "./self-check/self-check.js";
import { gpuBackend, gpuBytes, trimGpu } from "./webgpu/gpu-backend.js";

export type { EngineName } from "./engines.js";

export interface EngineOptions {
  /** `auto` takes the best that is available and passes its self-check. */
  readonly engine?: EngineName | "auto";
  /** Threads of the engine's own pool; 0 means all cores. */
  readonly threads?: number;
  /** Of everything random inside the engine, such as dropout. */
  readonly seed?: number;
}

/** One row of a profile: how often an operation ran on the engine's own kernel and on the stock one, and for how long in all. */
export interface ProfileRow {
  readonly name: string;
  readonly native: number;
  readonly fallback: number;
  readonly milliseconds: number;
}

export interface Engine {
  readonly name: EngineName;
  readonly threads: number;
  readonly seed: number;
  /** Number of the training step, set by the trainer: with the seed it keys what is random inside the model. */
  step: number;
  /** Bytes of pooled tensor memory: all of it, and what tensors hold. Zero for engines that are not ours. */
  poolBytes(): { readonly held: number; readonly used: number };
  /** Gives pooled memory that no tensor holds back to the system, such as between models. */
  trim(): void;
  /** What ran since the last call, longest first. Empty for engines that are not ours. */
  profile(): readonly ProfileRow[];
}

let current: Engine | undefined;

/** The engine that runs now, or undefined before the first `startEngine`. */
export function currentEngine(): Engine | undefined {
  return current;
}

/**
 * Chooses what executes TensorFlow.js operations from now on, and registers the gradients that TensorFlow.js lacks. The first start of a version on a machine
 * compares every operation with the stock `cpu` engine (some seconds) and remembers the result.
 *
 * @throws `ERR_OPTION` for an unknown engine or a bad number of threads, `ERR_ENGINE` when the engine is not available here or computes an operation
 * wrongly
 * @example
 * const engine = await startEngine({ engine: "auto", threads: 2, seed: 7 });
 */
export async function startEngine({ engine = "auto", threads = 0, seed = 0, ...unknown }: EngineOptions = {}): Promise<Engine> {
  requireKnownOptions("startEngine", unknown, ["engine", "threads", "seed"]);
  const names = ENGINES.map(({ name }) => name);
  if (engine !== "auto" && !names.includes(engine)) {
    const known = ["auto", ...names];
    const hint = typeof engine === "string" ? didYouMean(engine, known) : "";
    throw new VoxError(`engine must be ${known.join(", ")}, got ${describe(engine)}${hint}`, { code: "ERR_OPTION", where: "startEngine" });
  }
  requireOption(Number.isInteger(threads) && threads >= 0 && threads <= 1024, "startEngine", "threads", "an integer from 0 to 1024", threads);
  requireOption(Number.isSafeInteger(seed), "startEngine", "seed", "an integer", seed);
  registerGradients();
  installGradientTape();
  const entry = engine === "auto" ? await firstUsable(threads) : ENGINES.find(({ name }) => name === engine)!;
  const fault = await faultOf(entry, threads);
  if (fault) throw new VoxError(`engine ${entry.name} cannot be used: ${fault}`, { code: "ERR_ENGINE", where: "startEngine" });
  if (!(await tf.setBackend(entry.backend))) {
    throw new VoxError(`engine ${entry.name} did not start`, { code: "ERR_ENGINE", where: "startEngine" });
  }
  current = { name: entry.name, threads: entry.threads(), seed, step: 0, poolBytes, trim, profile };
  return current;
}

async function firstUsable(threads: number): Promise<EngineEntry> {
  for (const entry of ENGINES) if ((await faultOf(entry, threads)) === undefined) return entry;
  return ENGINES.at(-1)!;
}

/** Why an engine cannot be used, or undefined when it can; loads and checks it. */
async function faultOf(entry: EngineEntry, threads: number): Promise<string | undefined> {
  const missing = entry.missing();
  if (missing) return missing;
  try {
    await entry.load(threads === 0 ? availableParallelism() : threads);
  } catch (error) {
    return `it does not load: ${errorMessage(error)}`;
  }
  const version = entry.version();
  if (version === undefined) return undefined;
  const { failures } = await rememberedCheck(entry.backend, version);
  return failures.length > 0 ? `it fails its self-check on ${describeFailures(failures)}` : undefined;
}

function ownBackend(): NativeBackend | undefined {
  const backend = tf.backend();
  return backend instanceof NativeBackend ? backend : undefined;
}

function poolBytes(): { readonly held: number; readonly used: number } {
  const gpu = gpuBackend();
  return ownBackend()?.poolBytes ?? (gpu ? gpuBytes(gpu) : { held: 0, used: 0 });
}

function trim(): void {
  ownBackend()?.trim();
  const gpu = gpuBackend();
  if (gpu) trimGpu(gpu);
}

function profile(): readonly ProfileRow[] {
  const rows = [...nativeCalls].filter(([, calls]) => calls.native + calls.fallback > 0).map(([name, calls]) => ({ name, ...calls }));
  for (const calls of nativeCalls.values()) {
    calls.native = 0;
    calls.fallback = 0;
    calls.milliseconds = 0;
  }
  return rows.sort((a, b) => b.milliseconds - a.milliseconds);
}
