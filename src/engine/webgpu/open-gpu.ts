import { VoxError } from "../../core/errors.js";

/** A graphics card that is ready to compute. */
export interface Gpu {
  readonly device: GPUDevice;
  readonly info: GPUAdapterInfo;
  /** Vendor, architecture, name and driver, as the driver tells them. */
  readonly description: string;
  /** The object to hang on `navigator`. */
  readonly gpu: GPU;
}

/** Part of an adapter's name that is asked for, where a machine has several. */
const WANTED = "VOXSTREAM_GPU";

/**
 * Opens a graphics card by Dawn, with all that it allows: largest buffers, timestamps.
 *
 * @throws `ERR_ENGINE` when there is none, or no driver for it
 */
export async function openGpu(): Promise<Gpu> {
  const { create, globals } = await import("webgpu");
  // The classes and flags that code for browsers finds in its global scope.
  Object.assign(globalThis, globals);
  const wanted = process.env[WANTED];
  const gpu = create(wanted ? [`adapter=${wanted}`] : []);
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    const named = wanted ? ` named ${wanted} (${WANTED})` : "";
    throw new VoxError(
      `no graphics card${named} was found by Vulkan, Metal or Direct3D; a driver must be installed (Debian: libvulkan1 and the card's)`,
      {
        code: "ERR_ENGINE",
        where: "webgpu",
      },
    );
  }
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = adapter.limits;
  const { maxComputeWorkgroupSizeX } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: (["timestamp-query"] as const).filter((feature) => adapter.features.has(feature)),
    requiredLimits: {
      maxStorageBufferBindingSize,
      maxBufferSize,
      maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX,
    },
  });
  const { vendor, architecture, device: card, description } = adapter.info;
  return {
    device,
    info: adapter.info,
    description: [vendor, architecture, card, description].filter((part) => part !== "").join(" "),
    gpu,
  };
}
