import { availableParallelism } from "node:os";
import { Command } from "commander";
import { native, nativeMissingReason } from "../../kernels/native.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatTable } from "../format-table.js";

/** `voxstream engines`: what can execute TensorFlow.js operations on this machine. */
export function enginesCommand(): Command {
  return new Command("engines")
    .description("list what can execute TensorFlow.js operations and the kernels on data here; --engine auto takes the first that is available")
    .action((options: CommonOptions) => {
      const addon = native();
      const engines = [
        {
          name: "native",
          available: addon !== undefined,
          instructions: addon?.isa ?? null,
          threads: addon ? addon.threadCount() : null,
          note: addon ? "our kernels in C++, for training and for data" : `not available: ${nativeMissingReason()}`,
        },
        {
          name: "cpu",
          available: true,
          instructions: null,
          threads: 1,
          note: addon
            ? "stock TensorFlow.js, the reference; slow"
            : "stock TensorFlow.js, with TypeScript kernels for data; many times slower than native",
        },
      ];
      const auto = addon ? "native" : "cpu";
      commandOutput(options).result(
        { auto, cores: availableParallelism(), engines },
        formatTable([
          ["engine", "available", "instructions", "threads", ""],
          ...engines.map(({ name, available, instructions, threads, note }) => [
            name === auto ? `${name} (auto)` : name,
            available ? "yes" : "no",
            instructions ?? "-",
            threads === null ? "-" : String(threads),
            note,
          ]),
        ]),
      );
    });
}
