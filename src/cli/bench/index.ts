import { benchInWorkers } from "./bench-in-workers.js";
import type { BenchCase } from "./bench-result.js";

/** Cases by name; each is loaded only when it is run. */
export const benchCases: Readonly<Record<string, () => Promise<BenchCase>>> = {
  load: async () => (await import("./bench-load.js")).benchLoad,
  intensity: async () => benchInWorkers("intensity", (await import("./bench-intensity.js")).benchIntensity),
  resample: async () => benchInWorkers("resample", (await import("./bench-resample.js")).benchResample),
  augment: async () => benchInWorkers("augment", (await import("./bench-augment.js")).benchAugment, { scales: false }),
  cache: async () => (await import("./bench-cache.js")).benchCache,
  conv3d: async () => (await import("./bench-conv3d.js")).benchConv3d,
  unet: async () => (await import("./bench-unet.js")).benchUnet,
  pipeline: async () => (await import("./bench-pipeline.js")).benchPipeline,
  window: async () => benchInWorkers("window", (await import("./bench-window.js")).benchWindow),
};
