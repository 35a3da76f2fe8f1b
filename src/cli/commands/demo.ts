import { join, resolve } from "node:path";
import { Command } from "commander";
import type { Json } from "../../core/json.js";
import { recordCaseSources } from "../../core/record-case-sources.js";
import { evaluate, evaluationTable, historyFigures, previewRenderer, writeOverlays } from "../../evaluation/index.js";
import { predict } from "../../inference/index.js";
import { niftiCases, PHANTOM_CLASSES, writePhantoms } from "../../io/index.js";
import { writeAtomically } from "../../io/write-atomically.js";
import { appendRunEvent, train } from "../../training/index.js";
import { type CommonOptions, commandOutput } from "../command-output.js";
import { DEMO, demoConfig, FAST_DEMO } from "../demo/demo-config.js";
import { formatDuration } from "../format-duration.js";
import { parseNaturalNumber } from "../parse-natural-number.js";
import { progressLine } from "../progress-line.js";
import { resumeCommand } from "../resume-command.js";
import { serveRuns } from "../serve-runs.js";
import { shellQuoted } from "../shell-quoted.js";
import { stopSignal } from "../stop-signal.js";
import { trainingReport } from "../training-report.js";

interface DemoCommandOptions extends CommonOptions {
  readonly fast?: boolean;
  readonly folder?: string;
  readonly seed: number;
  readonly dashboard: boolean;
  readonly stay?: boolean;
}

/** `voxstream demo`: the whole road on made-up patients, from files to scores. */
export function demoCommand(): Command {
  return new Command("demo")
    .option("--fast", "a short form that only shows that everything works")
    .option("--folder <dir>", "where everything is written; demo-run, or demo-run-fast with --fast")
    .option("--seed <n>", "another seed, other patients", parseNaturalNumber, 1)
    .option("--no-dashboard", "without the live page")
    .option("--stay", "leave the dashboard open at the end, until Ctrl-C")
    .action((options: DemoCommandOptions) => runDemo(options));
}

async function runDemo(options: DemoCommandOptions): Promise<void> {
  const began = performance.now();
  const { signal, forget } = stopSignal("demo");
  const output = commandOutput(options);
  const settings = options.fast ? FAST_DEMO : DEMO;
  const folder = options.folder ?? (options.fast ? "demo-run-fast" : "demo-run");
  const root = resolve(folder);
  const data = { training: join(root, "data", "training"), heldOut: join(root, "data", "held-out") };
  const runs = join(root, "runs");
  const elapsed = (): string => formatDuration((performance.now() - began) / 1000);

  output.note(`1/4 phantoms: ${settings.cases} cases to learn from, ${settings.heldOut} held out, in ${root}/data`);
  const { shape } = settings;
  await writePhantoms({ folder: data.training, cases: settings.cases, shape, seed: options.seed, signal });
  await writePhantoms({ folder: data.heldOut, cases: settings.heldOut, first: settings.cases, shape, seed: options.seed, signal });
  const config = join(root, "config.mjs");
  await writeAtomically(config, [Buffer.from(demoConfig(settings, options.seed))]);

  const dashboard = await serveRuns(options.dashboard, runs, output, { folders: [data.heldOut, data.training] });
  try {
    output.note(`2/4 training as ${config} says (${elapsed()})`);
    const report = trainingReport();
    const trained = await train(config, { signal, preview: previewRenderer(), onEvent: report.onEvent });
    report.end();
    if (trained.status === "stopped") {
      output.result({ status: "stopped", folder: trained.folder }, `stopped; continue with: ${resumeCommand("train", [config], {})}`);
      return;
    }
    recordCaseSources(trained.folder, await niftiCases({ root: data.heldOut, classes: PHANTOM_CLASSES }).list());
    await historyFigures({ history: join(trained.folder, "history.tsv"), output: join(trained.folder, "figures") });

    output.note(`3/4 prediction of the held-out cases, onto the grids of their files (${elapsed()})`);
    const predictions = join(trained.folder, "predictions");
    const line = progressLine();
    await predict({
      bundle: join(trained.folder, "checkpoints", "best"),
      inputs: data.heldOut,
      output: predictions,
      signal,
      onProgress: ({ id, state, done, total, windows, seconds = 0, path }) => {
        if (state === "predicting") line.update(`${id} (${done + 1}/${total})${windows ? `: patch ${windows.done}/${windows.total}` : ""}`);
        if (state === "written") {
          line.end(`${id} written in ${seconds.toFixed(1)} s`);
          appendRunEvent(trained.folder, { type: "prediction", id, path: path ?? "", seconds });
        }
      },
    });

    output.note(`4/4 evaluation (${elapsed()})`);
    const evaluated = await evaluate({
      predictions,
      labels: data.heldOut,
      classes: PHANTOM_CLASSES,
      output: join(trained.folder, "evaluation"),
      signal,
    });
    const overlays = join(trained.folder, "overlays");
    await writeOverlays({
      images: data.heldOut,
      labels: data.heldOut,
      predictions,
      classes: PHANTOM_CLASSES,
      output: overlays,
      window: { min: -160, max: 300 },
      rows: evaluated.rows,
      signal,
    });
    // Plain data, as it stands in summary.json.
    const summary = JSON.parse(JSON.stringify(evaluated.summary)) as Json;
    appendRunEvent(trained.folder, { type: "evaluation", path: "evaluation/summary.json", summary });
    output.result(
      { status: "completed", folder: trained.folder, seconds: (performance.now() - began) / 1000, summary },
      [
        "",
        evaluationTable(evaluated.summary),
        "",
        `done in ${elapsed()}`,
        `predictions  ${predictions}`,
        `pictures     ${overlays}`,
        `curves       ${join(trained.folder, "figures")}`,
        `config       ${config}   (voxstream train ${shellQuoted(join(folder, "config.mjs"))} trains again)`,
        `dashboard    voxstream dashboard ${shellQuoted(join(folder, "runs"))}`,
      ].join("\n"),
    );
    if (dashboard && options.stay) {
      output.note(`${dashboard.url} stays open; Ctrl-C ends it.`);
      await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }));
    }
  } finally {
    forget();
    await dashboard?.close();
  }
}
