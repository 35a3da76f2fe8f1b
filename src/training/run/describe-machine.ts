import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import type { Json } from "../../core/json.js";

/** The machine of a run, for its manifest. No host or user name. */
export function describeMachine(): Json {
  return {
    platform: platform(),
    release: release(),
    arch: arch(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  };
}
