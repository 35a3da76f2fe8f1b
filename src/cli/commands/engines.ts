import { availableParallelism } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import { Command } from "commander";
import { Adam, describeFailures, type EngineReport, listEngines, type ProfileRow, startEngine } from "../../engine/index.js";
import { native } from "../../kernels/native.js";
import { tverskyLoss } from "../../losses/index.js";
import { unet } from "../../models/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { formatTable } from "../format-table.js";

interface EnginesOptions extends CommonOptions {
  readonly check?: boolean;
  readonly profile?: boolean;
}

/** `voxstream engines`: what can execute TensorFlow.js operations on this machine. */
export function enginesCommand(): Command {
  return new Command("engines")
    .option("--check", "compare every operation with the stock engine again, even if this version was checked on this machine before")
    .option("--profile", "also run training steps of a small U-Net and show how long each operation took, and which fell back to the stock kernel")
    .action(async ({ check = false, profile = false, ...options }: EnginesOptions) => {
      const reports = await listEngines({ check: check ? "again" : "remembered" });
      const usable = reports.filter((report) => report.isAvailable && (report.selfCheck?.failures.length ?? 0) === 0);
      const auto = usable[0]?.name ?? "cpu";
      const instructions = native()?.isa ?? null;
      const engines = reports.map((report) => ({
        name: report.name,
        available: report.isAvailable,
        instructions: report.name === "native" ? instructions : null,
        selfCheck: report.selfCheck
          ? {
              passed: report.selfCheck.failures.length === 0,
              cases: report.selfCheck.cases,
              failures: report.selfCheck.failures.map((failure) => ({ ...failure })),
            }
          : null,
        note: noteOf(report),
      }));
      const rows = profile ? await profileOf() : [];
      const table = formatTable([
        ["engine", "available", "instructions", ""],
        ...engines.map(({ name, available, instructions: isa, note }) => [
          name === auto ? `${name} (auto)` : name,
          available ? "yes" : "no",
          isa ?? "-",
          note,
        ]),
      ]);
      const profileTable = formatTable([
        ["operation", "ms", "own kernel", "stock kernel"],
        ...rows.map((row) => [row.name, row.milliseconds.toFixed(2), String(row.native), String(row.fallback)]),
      ]);
      const profiled = rows.map((row) => ({ ...row }));
      commandOutput(options).result(
        { auto, cores: availableParallelism(), engines, ...(profile && { profile: profiled }) },
        profile ? `${table}\n\n${profileTable}` : table,
      );
    });
}

const KINDS: Readonly<Record<EngineReport["name"], string>> = {
  "tensorflow-gpu": "TensorFlow on an NVIDIA GPU",
  native: "our kernels in C++, for training and for data",
  webgpu: "our kernels in WGSL on any graphics card",
  tensorflow: "TensorFlow on the CPU",
  cpu: "stock TensorFlow.js, the reference; slow",
};

function noteOf({ name, reason, selfCheck }: EngineReport): string {
  if (reason !== undefined) return reason;
  if (!selfCheck) return KINDS[name];
  const failed = selfCheck.failures.length;
  return failed > 0 ? `self-check failed: ${describeFailures(selfCheck.failures)}` : `${KINDS[name]}; ${selfCheck.cases} operations checked`;
}

/** Three training steps of a small standard U-Net on the engine that `auto` takes. */
async function profileOf(): Promise<readonly ProfileRow[]> {
  const engine = await startEngine({ engine: "auto" });
  const model = unet({ filters: 8, depth: 2 }).build({ shape: [16, 16, 16, 1], classes: 3 });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const x = tf.randomNormal([2, 16, 16, 16, 1], 0, 1, "float32", 1);
  const labels = tf.zeros([2, 16, 16, 16, 1], "int32");
  const loss = tverskyLoss();
  const optimizer = new Adam();
  engine.profile();
  for (let i = 0; i < 3; i++) {
    const { value, grads } = tf.variableGrads(() => loss(model.apply(x, { training: true }) as tf.Tensor, labels), variables);
    optimizer.applyGradients(grads);
    tf.dispose([value, ...Object.values(grads)]);
  }
  const rows = engine.profile();
  tf.dispose([x, labels]);
  optimizer.dispose();
  model.dispose();
  return rows;
}
