import { Command } from "commander";
import { type CaseFinding, verifyCases } from "../../io/index.js";
import { createTaskPool } from "../../workers/index.js";
import { classesOption } from "../classes-option.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { layoutOption } from "../layout-option.js";
import { type DataSetOptions, openDataSet } from "../open-data-set.js";
import { parseNaturalNumber } from "../parse-natural-number.js";
import { progressLine } from "../progress-line.js";
import { readingOptions } from "../reading-options.js";
import { stopSignal } from "../stop-signal.js";

interface VerifyCommandOptions extends CommonOptions, DataSetOptions {
  readonly labels: boolean;
  readonly workers?: number;
  readonly memory?: string;
}

/** `voxstream verify <data>`: reads everything and lists what is wrong, each with file and fix. */
export function verifyCommand(): Command {
  return new Command("verify")
    .argument("<data>", "folder in KiTS, nnU-Net or Decathlon layout, a folder of DICOM cases, or a CSV manifest")
    .addOption(classesOption())
    .addOption(layoutOption())
    .addOption(readingOptions.labels())
    .addOption(readingOptions.color())
    .addOption(readingOptions.spacing())
    .option("--no-labels", "cases without a label are no error")
    .option("--workers <n>", "threads that read cases; by default one fewer than cores", parseNaturalNumber)
    .option("--memory <size>", "for all cases that are read at once; 4GB")
    .action(async (root: string, options: VerifyCommandOptions) => {
      const output = commandOutput(options);
      const data = openDataSet(root, options);
      const line = progressLine();
      const { signal, forget } = stopSignal("verify");
      const tasks = createTaskPool({ ...(options.workers !== undefined && { threads: options.workers }) });
      let findings: readonly CaseFinding[];
      try {
        findings = await verifyCases(data, {
          needsLabel: options.labels,
          tasks,
          signal,
          ...(options.memory !== undefined && { memory: options.memory }),
          onCase: (id, _, done, total) => line.update(`${id} (${done}/${total})`),
        });
      } finally {
        await tasks.destroy();
        forget();
        line.end();
      }
      const errors = findings.filter(({ severity }) => severity === "error").length;
      output.result(
        { findings: findings.map((finding) => ({ ...finding })), errors, warnings: findings.length - errors },
        findings.length === 0
          ? "nothing found: every case can be used"
          : [
              ...findings.map(({ severity, message, fix }) => `${severity}: ${message}\n  fix: ${fix}`),
              "",
              `${errors} errors, ${findings.length - errors} warnings`,
            ].join("\n"),
      );
      if (errors > 0) process.exitCode = 1;
    });
}
