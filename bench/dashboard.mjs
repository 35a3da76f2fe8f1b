// What the dashboard costs: opening 50 runs with 1e6 events (time, memory), and 20 viewers of a running training (steps per second, processor time).
// Usage: npm run build, then: node bench/dashboard.mjs [open|viewers]     (Chromium is used where there is one)
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAIN = join(ROOT, "dist/cli/main.js");
const RUNS = 50;
const EVENTS = 1_000_000;
const VIEWERS = 20;
const PHASE_MS = 8000;
const ROUNDS = 6;
const TICKS_PER_SECOND = 100;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const json = async (url) => (await fetch(url)).json();

/** Starts a command line; resolves with the address that it prints. */
async function serve(cwd, ...parts) {
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, ...parts], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  for (;;) {
    const found = /(http:\/\/[^#\s]*)#\S*/.exec(said);
    if (found) return { child, url: found[1], readyMs: performance.now() - began };
    if (child.exitCode !== null) throw new Error(said);
    await wait(5);
  }
}

const statusOf = (pid, key) => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

/** Seconds of processor time that a process has taken. */
function processorSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function writeRuns(folder) {
  const perRun = EVENTS / RUNS;
  for (let run = 0; run < RUNS; run++) {
    const own = join(folder, `run-${String(run).padStart(2, "0")}`);
    mkdirSync(own, { recursive: true });
    const file = openSync(join(own, "events.jsonl"), "w");
    let t = Date.now() - 86_400_000 + run * 1000;
    const start = { t, type: "start", run: "bench", seed: run, engine: "native", epochs: 100, classes: ["background", "kidney", "tumor"], pid: 1 };
    let text = `${JSON.stringify(start)}\n`;
    for (let i = 1, step = 0; i < perRun; i++) {
      t += 300;
      if (i % 200 === 0) {
        const epoch = i / 200;
        const metrics = { softDice: 1 - 1 / epoch, softDice_kidney: 0.5, softDice_tumor: 0.4 };
        const event = { t, type: "epoch", epoch, step, loss: 1 / epoch, metrics, validationLoss: 1.2 / epoch, validationMetrics: metrics };
        text += `${JSON.stringify({ ...event, learningRate: 1e-4, seconds: 60, remainingSeconds: 60, waitShare: 0.01 })}\n`;
      } else if (i % 12 === 0) {
        const stage = { name: "augment", to: ["trainer"], in: i, out: i, held: 3, maxHeld: 8, running: 2, skipped: 0, state: "busy", busyMs: t, blockedMs: 1, starvedMs: 2, workMs: 3, knobs: { concurrency: 2 } };
        text += `${JSON.stringify({ t, type: "stages", stages: [stage, { ...stage, name: "trainer", to: [] }], bytesInUse: 1e9, budget: 4e9, verdict: "The trainer sets the pace." })}\n`;
      } else {
        step++;
        const loss = 1 / Math.sqrt(step) + Math.random() * 0.1;
        text += `${JSON.stringify({ t, type: "step", step, epoch: Math.ceil(i / 200), loss, metrics: { softDice: 1 - loss, softDice_kidney: 0.9 - loss, softDice_tumor: 0.8 - loss }, learningRate: 1e-4, waitMs: Math.random(), stepMs: 300 + Math.random(), remainingSeconds: 1000 })}\n`;
      }
      if (text.length > 1 << 20) {
        writeSync(file, text);
        text = "";
      }
    }
    writeSync(file, text);
    closeSync(file);
  }
}

async function openMany() {
  const folder = mkdtempSync(join(tmpdir(), "voxstream-bench-"));
  let server;
  try {
    writeRuns(folder);
    server = await serve(folder, "dashboard", folder, "--port", "0");
    const { url, child, readyMs } = server;
    const began = performance.now();
    const { runs } = await json(`${url}api/runs`);
    const firstListMs = performance.now() - began;
    const browser = await launch();
    const cold = browser && (await pageTimes(browser, url, "run-07"));
    let all = runs;
    while (all.some(({ progress }) => progress < 1)) {
      await wait(20);
      all = (await json(`${url}api/runs`)).runs;
    }
    const readMs = performance.now() - began;
    const warm = browser && (await pageTimes(browser, url, "run-11"));
    const snapshots = [];
    for (const { id } of all) {
      const from = performance.now();
      await (await fetch(`${url}api/runs/${id}`)).text();
      snapshots.push(performance.now() - from);
    }
    await browser?.close();
    return {
      runs: all.length,
      events: EVENTS,
      serverReadyMs: readyMs,
      listed: runs.length,
      firstListMs,
      allReadMs: readMs,
      pageWhileReadingMs: cold ?? null,
      pageMs: warm ?? null,
      snapshotMs: median(snapshots),
      rssMiB: statusOf(child.pid, "VmRSS"),
      peakRssMiB: statusOf(child.pid, "VmHWM"),
    };
  } finally {
    server?.child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function launch() {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  if (!executablePath) return undefined;
  const { chromium } = await import("playwright-core");
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"] });
}

/** From nothing to the list with all rows, and from the click on a run to its curves, as the page itself measures it. */
async function pageTimes(browser, url, run) {
  const page = await browser.newPage();
  await page.goto(url);
  const list = await page.waitForFunction((wanted) => document.querySelectorAll("tbody tr").length >= wanted && performance.now(), RUNS);
  const listMs = await list.jsonValue();
  const from = await page.evaluate((id) => {
    location.hash = `#/run/${id}/training`;
    return performance.now();
  }, run);
  const curves = await page.waitForFunction(() => Number(document.querySelector('section[aria-label="Loss"]')?.dataset.points) > 100 && performance.now());
  const curvesMs = (await curves.jsonValue()) - from;
  await page.close();
  return { list: listMs, curves: curvesMs };
}

/** Viewers that follow a run and throw away what they get. */
function follow(url, count) {
  return Array.from({ length: count }, () => {
    const request = get(url, { headers: { accept: "text/event-stream" }, agent: false }, (response) => response.resume());
    request.on("error", () => {});
    return request;
  });
}

async function watchTraining() {
  const folder = mkdtempSync(join(tmpdir(), "voxstream-bench-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules", "voxstream"));
  const { writePhantoms } = await import(join(ROOT, "dist/io/index.js"));
  await writePhantoms({ folder: join(folder, "data"), cases: 4, shape: [24, 48, 48], seed: 1 });
  writeFileSync(
    join(folder, "config.mjs"),
    `import { augment, batch, defineConfig, load, niftiCases, normalize, patch, softDice, tverskyLoss, unet } from "voxstream";
export default defineConfig({
  name: "watched", runs: "runs", data: niftiCases({ root: "data", classes: ["background", "kidney", "tumor"] }),
  graph: ({ cases }) => cases.pipe(load(), normalize({ mode: "z-score" }), patch({ size: [16, 32, 32], perCase: 4 }), augment(), batch({ size: 2 })),
  model: unet({ filters: 4, depth: 2 }), loss: tverskyLoss(), metrics: [softDice()],
  training: { epochs: 100000, stepsPerEpoch: 50, learningRate: 1e-3 }, workers: 1, memory: "200MB",
});`,
  );
  const servers = [];
  try {
    const training = await serve(folder, "train", "config.mjs", "--dashboard");
    servers.push(training);
    const apart = await serve(folder, "dashboard", "runs", "--port", "0");
    servers.push(apart);
    const stateOf = async (url) => {
      const { record, anchor } = await json(`${url}api/runs/watched`);
      return { steps: record.step?.step ?? 0, anchor };
    };
    await wait(8000);
    /** Steps per second of the training, and processor time of a server of its own, while so many follow. */
    const phase = async (viewers, url, pid) => {
      const { anchor } = await stateOf(url);
      const requests = follow(`${url}api/runs/watched/events?after=${anchor}`, viewers);
      await wait(500);
      const [from, at, used] = [(await stateOf(apart.url)).steps, performance.now(), processorSeconds(pid)];
      await wait(PHASE_MS);
      const seconds = (performance.now() - at) / 1000;
      const result = { stepsPerSecond: ((await stateOf(apart.url)).steps - from) / seconds, cores: (processorSeconds(pid) - used) / seconds };
      for (const request of requests) request.destroy();
      await wait(300);
      return result;
    };
    const rows = { inside: { alone: [], watched: [] }, apart: { alone: [], watched: [] } };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, url, pid] of [
        ["inside", training.url, training.child.pid],
        ["apart", apart.url, apart.child.pid],
      ]) {
        // In turns and in both orders, so that what else the machine does meanwhile meets both.
        const order = round % 2 === 0 ? ["alone", "watched"] : ["watched", "alone"];
        for (const kind of order) rows[name][kind].push(await phase(kind === "alone" ? 0 : VIEWERS, url, pid));
      }
    }
    const summary = (name) => {
      const { alone, watched } = rows[name];
      const ratios = watched.map(({ stepsPerSecond }, i) => stepsPerSecond / alone[i].stepsPerSecond);
      return {
        stepsPerSecondAlone: median(alone.map(({ stepsPerSecond }) => stepsPerSecond)),
        stepsPerSecondWatched: median(watched.map(({ stepsPerSecond }) => stepsPerSecond)),
        medianRatio: median(ratios),
        ratios,
        ...(name === "apart" && {
          serverCoresAlone: median(alone.map(({ cores }) => cores)),
          serverCoresWatched: median(watched.map(({ cores }) => cores)),
        }),
      };
    };
    const result = { viewers: VIEWERS, serverInTheTraining: summary("inside"), serverOfItsOwn: summary("apart") };
    for (const [name, { medianRatio, ratios, stepsPerSecondAlone }] of Object.entries(result).slice(1)) {
      // What two phases without any difference scatter by: a median of few pairs is worth no more than that.
      const scatter = (Math.max(...ratios) - Math.min(...ratios)) / 2;
      console.error(
        `${name}: with ${VIEWERS} viewers the training keeps ${(medianRatio * 100).toFixed(1)} % of its ${stepsPerSecondAlone.toFixed(1)} steps/s (goal: at least 98 %); ` +
          `pairs from ${(Math.min(...ratios) * 100).toFixed(1)} to ${(Math.max(...ratios) * 100).toFixed(1)} %${scatter > 0.05 ? ": too much other work on this machine to tell 2 %" : ""}`,
      );
    }
    return result;
  } finally {
    for (const { child } of servers) child.kill("SIGKILL");
    await wait(300);
    rmSync(folder, { recursive: true, force: true });
  }
}

const [, , which] = process.argv;
if (which !== "viewers") console.log(JSON.stringify({ open: await openMany() }, undefined, 2));
if (which !== "open") console.log(JSON.stringify({ viewers: await watchTraining() }, undefined, 2));
