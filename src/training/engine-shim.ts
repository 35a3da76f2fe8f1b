import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
export interface EngineOptions {
  readonly engine?: string;
  readonly threads?: number;
  readonly seed?: number;
}
export async function startEngine({ seed = 0 }: EngineOptions = {}): Promise<{ name: string; threads: number; seed: number; step: number }> {
  await tf.setBackend("cpu");
  return { name: "cpu", threads: 1, seed, step: 0 };
}
