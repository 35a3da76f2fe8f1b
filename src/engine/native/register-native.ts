import * as tf from "@tensorflow/tfjs-core";
import type { NativeAddon } from "../../kernels/native.js";
import { convolutionKernels } from "./convolution.js";
import { elementwiseKernels } from "./elementwise.js";
import { fusedKernels } from "./fused.js";
import { gradientKernels } from "./gradient-kernels.js";
import { indexingKernels } from "./indexing.js";
import type { KernelTable } from "./kernel-table.js";
import { layoutKernels } from "./layout.js";
import { matrixProductKernels } from "./matrix-product.js";
import { NativeBackend } from "./native-backend.js";
import { poolingKernels } from "./pooling.js";
import { reductionKernels } from "./reduction.js";
import { resizeKernels } from "./resize.js";

export const NATIVE_KERNELS: KernelTable = {
  ...convolutionKernels,
  ...elementwiseKernels,
  ...fusedKernels,
  ...gradientKernels,
  ...indexingKernels,
  ...layoutKernels,
  ...matrixProductKernels,
  ...poolingKernels,
  ...reductionKernels,
  ...resizeKernels,
};

/** Calls of one operation: on the addon, and by the stock kernel because the addon does not cover the case. */
export interface KernelCalls {
  native: number;
  fallback: number;
  milliseconds: number;
}

export const nativeCalls = new Map<string, KernelCalls>();

let isRegistered = false;

/** Registers the backend `native`: our kernels, and the stock ones of `cpu` for everything else. */
export function registerNative(addon: NativeAddon): void {
  if (isRegistered) return;
  isRegistered = true;
  tf.registerBackend("native", () => new NativeBackend(addon), 0);
  const stock = new Map(tf.getKernelsForBackend("cpu").map((kernel) => [kernel.kernelName, kernel.kernelFunc]));
  for (const name of new Set([...stock.keys(), ...Object.keys(NATIVE_KERNELS)])) {
    tf.registerKernel({ kernelName: name, backendName: "native", kernelFunc: counted(name, stock.get(name)) });
  }
}

/** Operations that only pass a tensor on; counting them as fallbacks would mislead. */
const PASSED_ON: readonly string[] = ["Identity", "Reshape", "ExpandDims"];

function counted(name: string, stock: tf.KernelFunc | undefined): tf.KernelFunc {
  const body = NATIVE_KERNELS[name];
  if (PASSED_ON.includes(name)) return stock!;
  const calls: KernelCalls = { native: 0, fallback: 0, milliseconds: 0 };
  nativeCalls.set(name, calls);
  return (params) => {
    const start = performance.now();
    let result = body?.(params as unknown as Parameters<typeof body>[0]);
    if (result === undefined) {
      if (!stock) throw new Error(`${name}: the native engine has no kernel for these inputs`);
      calls.fallback++;
      result = stock(params);
    } else {
      calls.native++;
    }
    calls.milliseconds += performance.now() - start;
    return result;
  };
}
