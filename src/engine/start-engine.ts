import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { requireOption, VoxError } from "../core/errors.js";
import { native, nativeMissingReason } from "../kernels/native.js";
import { installGradientTape } from "./gradient-tape.js";
import { registerGradients } from "./gradients.js";
import { NativeBackend } from "./native/native-backend.js";
import { nativeCalls, registerNative } from "./native/register-native.js";

export type EngineName = "native" | "cpu";

export interface EngineOptions {
  /** `auto` takes the best that is available. */
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
 * Chooses what executes TensorFlow.js operations from now on, and registers the gradients that TensorFlow.js lacks.
 *
 * @throws `ERR_OPTION` for an unknown engine or a bad number of threads, `ERR_ENGINE` when the engine is not available here
 * @example
 * const engine = await startEngine({ engine: "auto", threads: 2, seed: 7 });
 */
export async function startEngine({ engine = "auto", threads = 0, seed = 0 }: EngineOptions = {}): Promise<Engine> {
  requireOption(["auto", "native", "cpu"].includes(engine), "startEngine", "engine", "auto, native or cpu", engine);
  requireOption(Number.isInteger(threads) && threads >= 0 && threads <= 1024, "startEngine", "threads", "an integer from 0 to 1024", threads);
  requireOption(Number.isSafeInteger(seed), "startEngine", "seed", "an integer", seed);
  registerGradients();
  installGradientTape();
  const addon = native();
  if (engine === "native" && !addon) {
    throw new VoxError(`engine native is not available: ${nativeMissingReason()}`, { code: "ERR_ENGINE", where: "startEngine" });
  }
  const name: EngineName = engine === "auto" ? (addon ? "native" : "cpu") : engine;
  if (name === "native") {
    registerNative(addon!);
    if (threads > 0) addon!.setThreadCount(threads);
  }
  if (!(await tf.setBackend(name))) throw new VoxError(`engine ${name} did not start`, { code: "ERR_ENGINE", where: "startEngine" });
  current = { name, threads: name === "native" ? addon!.threadCount() : 1, seed, step: 0, poolBytes, trim, profile };
  return current;
}

function ownBackend(): NativeBackend | undefined {
  const backend = tf.backend();
  return backend instanceof NativeBackend ? backend : undefined;
}

function poolBytes(): { readonly held: number; readonly used: number } {
  return ownBackend()?.poolBytes ?? { held: 0, used: 0 };
}

function trim(): void {
  ownBackend()?.trim();
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
