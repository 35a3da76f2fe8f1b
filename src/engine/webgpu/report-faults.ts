import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { VoxError } from "../../core/errors.js";

/**
 * Makes faults of the card errors of the next reading. WebGPU tells of a shader that does not compile, a buffer that is too large, memory that is used up or a
 * card that was lost only behind the back of the call, whose result is zeros.
 */
export function reportFaults(backend: WebGPUBackend, device: GPUDevice): void {
  let fault: VoxError | undefined;
  const fail = (message: string): void => {
    const isMemory = /out of memory|size .*exceeds|too large/i.test(message);
    fault ??= new VoxError(`the graphics card failed: ${message.split("\n")[0]}`, { code: isMemory ? "ERR_MEMORY" : "ERR_ENGINE", where: "webgpu" });
  };
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    fail((event as GPUUncapturedErrorEvent).error.message);
  });
  void device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed") fail(`it was lost: ${message}`);
  });
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    const values = await read(dataId);
    if (fault) {
      const told = fault;
      fault = undefined;
      throw told;
    }
    return values;
  };
}
