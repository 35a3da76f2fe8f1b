import { cpus, totalmem } from "node:os";
import { Argument, Command } from "commander";
import { formatBytes } from "../../core/bytes.js";
import { VoxError } from "../../core/errors.js";
import { native, nativeMissingReason } from "../../kernels/native.js";
import { benchCases } from "../bench/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatTable } from "../format-table.js";
import { parsePositiveInteger } from "../parse-positive-integer.js";
import { parseShape } from "../parse-shape.js";

interface BenchCommandOptions extends CommonOptions {
  readonly file?: string;
  readonly shape?: readonly number[];
  readonly threads: number;
  readonly runs: number;
}

/** `voxstream bench <case>`: measures one part on this machine. */
export function benchCommand(): Command {
  return new Command("bench")
    .addArgument(new Argument("<case>", "what to measure").choices(Object.keys(benchCases)))
    .option("--file <path>", "NIfTI file to use (case load)")
    .option("--shape <DxHxW>", "shape to use instead of the standard one", parseShape)
    .option("--threads <n>", "threads of the engine or workers of the pipeline", parsePositiveInteger, 1)
    .option("--runs <n>", "timed runs after the warm-up", parsePositiveInteger, 5)
    .action(async (name: string, options: BenchCommandOptions) => {
      const output = commandOutput(options);
      if (options.file !== undefined && name !== "load") {
        throw new VoxError(`--file must be absent but for the case load, got it for ${name}`, { code: "ERR_OPTION", where: "bench" });
      }
      const run = await benchCases[name]!();
      const results = await run({ ...options, note: output.note });
      const processor = cpus();
      const machine = {
        processor: processor[0]?.model.trim() ?? "unknown",
        cores: processor.length,
        memory: formatBytes(totalmem()),
        node: process.version,
        kernels: native()?.isa ?? `TypeScript (${nativeMissingReason()})`,
      };
      const rows = results.map(({ name: result, shape: size, medianMs, minMs, runs, bytes, flops, peakRssMB }) => [
        result,
        size,
        medianMs.toFixed(2),
        minMs.toFixed(2),
        String(runs),
        flops ? `${(flops / medianMs / 1e6).toFixed(1)} GFLOP/s` : bytes ? `${(bytes / medianMs / 1e6).toFixed(2)} GB/s` : "",
        peakRssMB ? `${Math.round(peakRssMB)} MB` : "",
      ]);
      output.result(
        { case: name, machine, results: results.map((result) => ({ ...result })) },
        formatTable([["name", "shape", "median ms", "min ms", "runs", "rate", "peak RSS"], ...rows]),
      );
    });
}
