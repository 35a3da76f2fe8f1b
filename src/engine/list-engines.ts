import { requireKnownOptions } from "../core/require-known-options.js";
import "@tensorflow/tfjs-backend-cpu";
import { errorMessage } from "../core/errors.js";
import { ENGINES, type EngineName } from "./engines.js";
import { installGradientTape } from "./install-gradient-tape.js";
import { registerGradients } from "./register-gradients.js";
import { recallCheck, rememberedCheck } from "./self-check/remembered-check.js";
import { type SelfCheckResult, selfCheck } from "./self-check/self-check.js";

export interface EngineReport {
  readonly name: EngineName;
  readonly isAvailable: boolean;
  /** Why it is not available. */
  readonly reason?: string;
  /** Absent for the reference, for engines that are not available, and when nothing was checked yet. */
  readonly selfCheck?: SelfCheckResult;
}

export interface ListEnginesOptions {
  /** `remembered` checks what was never checked; `again` checks all; `known` runs nothing and shows earlier results. */
  readonly check?: "known" | "remembered" | "again";
}

/** Every engine: whether it is here, why not, and the result of its self-check. The one that `auto` prefers stands first. */
export async function listEngines({ check = "remembered", ...unknown }: ListEnginesOptions = {}): Promise<readonly EngineReport[]> {
  requireKnownOptions("listEngines", unknown, ["check"]);
  registerGradients();
  installGradientTape();
  const reports: EngineReport[] = [];
  for (const { name, backend, missing, load, version } of ENGINES) {
    const reason = missing();
    if (reason !== undefined) {
      reports.push({ name, isAvailable: false, reason });
      continue;
    }
    try {
      if (check !== "known") await load(0);
      const code = version();
      const result =
        code === undefined
          ? undefined
          : check === "known"
            ? recallCheck(backend, code)
            : await (check === "again" ? selfCheck(backend) : rememberedCheck(backend, code));
      reports.push({ name, isAvailable: true, ...(result && { selfCheck: result }) });
    } catch (error) {
      reports.push({ name, isAvailable: false, reason: `it does not load: ${errorMessage(error)}` });
    }
  }
  return reports;
}
