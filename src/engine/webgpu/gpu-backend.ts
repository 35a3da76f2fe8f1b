import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";

let opened: { readonly backend: WebGPUBackend; readonly card: string } | undefined;

/** Keeps the backend of the card that was opened. */
export function keepGpuBackend(backend: WebGPUBackend, card: string): void {
  opened = { backend, card };
}

/** Vendor, kind and driver of the card that was opened. */
export function openedCard(): string | undefined {
  return opened?.card;
}

/** The backend of the card when operations run on it now. */
export function gpuBackend(): WebGPUBackend | undefined {
  return opened && tf.backend() === (opened.backend as unknown as tf.KernelBackend) ? opened.backend : undefined;
}

/** Bytes on the card: all that was taken, and what tensors hold of it. */
export function gpuBytes(backend: WebGPUBackend): { readonly held: number; readonly used: number } {
  const { numBytesInGPU, numBytesAllocatedInGPU } = backend.memory();
  return { held: numBytesAllocatedInGPU, used: numBytesInGPU };
}

/** Gives back what no tensor holds. The stock backend keeps a buffer of every size that it ever had. */
export function trimGpu({ bufferManager }: WebGPUBackend): void {
  const pool = bufferManager as unknown as { freeBuffers: Map<string, GPUBuffer[]>; numBytesAllocated: number; numFreeBuffers: number };
  for (const buffers of pool.freeBuffers.values()) {
    for (const buffer of buffers) {
      pool.numBytesAllocated -= buffer.size;
      pool.numFreeBuffers--;
      buffer.destroy();
    }
  }
  pool.freeBuffers.clear();
}
