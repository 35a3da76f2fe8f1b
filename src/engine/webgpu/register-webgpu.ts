import * as tf from "@tensorflow/tfjs-core";
import { convolutionKernels } from "./convolution.js";
import { elementKernels } from "./element-kernels.js";
import { keepGpuBackend } from "./gpu-backend.js";
import { openGpu } from "./open-gpu.js";
import { rankFiveKernels } from "./rank-five.js";
import { reportFaults } from "./report-faults.js";

let opened: Promise<void> | undefined;

/** Dawn's devices do not keep what made them alive: collected, it takes the process with it. */
const held: GPU[] = [];

/**
 * Registers the backend `webgpu` on a graphics card, with the kernels that the stock one lacks, gets wrong or has only slow. Once in a process.
 *
 * @throws `ERR_ENGINE` without a graphics card
 */
export function registerWebgpu(): Promise<void> {
  opened ??= open();
  return opened;
}

async function open(): Promise<void> {
  const { device, info, description, gpu } = await openGpu();
  held.push(gpu);
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  // Small operations would run on the processor, where the self-check did not see the card's kernels.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  const backend = withNavigator(gpu, () => new WebGPUBackend(device, info));
  keepGpuBackend(backend, description);
  reportFaults(backend, device);
  tf.registerBackend("webgpu", () => backend, 0);
  const stock = new Map(tf.getKernelsForBackend("webgpu").map((kernel) => [kernel.kernelName, kernel.kernelFunc]));
  const own = { ...rankFiveKernels(stock), ...elementKernels(stock), ...convolutionKernels };
  for (const [kernelName, kernel] of Object.entries(own)) {
    if (stock.has(kernelName)) tf.unregisterKernel(kernelName, "webgpu");
    tf.registerKernel({ kernelName, backendName: "webgpu", kernelFunc: kernel as tf.KernelFunc });
  }
}

/** The backend looks for `navigator.gpu` while it is built; other libraries take a `navigator` for a browser. */
function withNavigator<T>(gpu: GPU, build: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true, writable: true });
  try {
    return build();
  } finally {
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else Reflect.deleteProperty(globalThis, "navigator");
  }
}
