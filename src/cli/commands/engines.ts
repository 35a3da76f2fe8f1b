import { availableParallelism } from "node:os";
import { Command } from "commander";
import { type EngineReport, listEngines } from "../../engine/index.js";
import { describeFailures } from "../../engine/self-check/self-check.js";
import { native, nativeMissingReason } from "../../kernels/native.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatTable } from "../format-table.js";

interface EnginesCommandOptions extends CommonOptions {
  readonly check?: boolean;
}

/** `voxstream engines`: what can execute TensorFlow.js operations on this machine, and whether it computes rightly. */
export function enginesCommand(): Command {
  return new Command("engines")
    .description("list what can execute the operations of networks here; --engine auto takes the first that is available and passes its self-check")
    .option("--check", "compare all operations with the stock cpu engine again, not only those of a new version")
    .action(async (options: EnginesCommandOptions) => {
      const reports = await listEngines({ check: options.check ? "again" : "remembered" });
      const auto = reports.find(isUsable)?.name ?? "cpu";
      const addon = native();
      const kernels = addon ? `native, ${addon.isa}` : `TypeScript, many times slower (${nativeMissingReason()})`;
      commandOutput(options).result(
        { auto, kernels: { native: addon !== undefined, instructions: addon?.isa ?? null }, cores: availableParallelism(), engines: plain(reports) },
        `${formatTable([["engine", "available", ""], ...reports.map((report) => [report.name, report.isAvailable ? "yes" : "no", remark(report, auto)])])}\n\nkernels on data: ${kernels}`,
      );
      if (reports.some(({ selfCheck }) => selfCheck && selfCheck.failures.length > 0)) process.exitCode = 1;
    });
}

function isUsable({ isAvailable, selfCheck }: EngineReport): boolean {
  return isAvailable && (selfCheck?.failures.length ?? 0) === 0;
}

function remark({ name, reason, selfCheck }: EngineReport, auto: string): string {
  if (reason !== undefined) return reason;
  const check = selfCheck
    ? selfCheck.failures.length > 0
      ? `fails its self-check on ${describeFailures(selfCheck.failures)}`
      : `${selfCheck.cases} operations checked`
    : name === "cpu"
      ? "stock TensorFlow.js, the reference; slow"
      : "not checked";
  return name === auto ? `${check}; auto takes this one` : check;
}

/** Reports as JSON holds them: absent fields are null. */
function plain(reports: readonly EngineReport[]) {
  return reports.map(({ name, isAvailable, reason, selfCheck }) => ({
    name,
    available: isAvailable,
    reason: reason ?? null,
    selfCheck: selfCheck ? { cases: selfCheck.cases, failures: selfCheck.failures.map((failure) => ({ ...failure })) } : null,
  }));
}
