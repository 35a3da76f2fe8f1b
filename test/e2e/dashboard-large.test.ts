import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { EventStream } from "../server/fixture/event-stream.js";
import { eventually, json } from "../server/fixture/open-dashboard.js";
import { RunWriter } from "../server/fixture/run-writer.js";
import { temporaryFolder } from "../server/fixture/temporary-folder.js";
import { startCli } from "./fixture/start-cli.js";

const RUNS = 50;
const EVENTS = 1_000_000;
const VIEWERS = 20;

/** Lines of steps: nearly all that a long run writes. */
function writeLongRun(folder: string, events: number): void {
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, "events.jsonl"), "w");
  let text = `{"t":1,"type":"start","run":"long","seed":1,"engine":"native","epochs":100,"classes":["background","kidney"],"pid":1}\n`;
  for (let step = 1; step < events; step++) {
    const loss = 1 / Math.sqrt(step);
    text += `{"t":${step * 300},"type":"step","step":${step},"epoch":1,"loss":${loss},"metrics":{"softDice":${1 - loss}},"learningRate":0.0001,"waitMs":0.5,"stepMs":300}\n`;
    if (text.length < 1 << 20) continue;
    writeSync(file, text);
    text = "";
  }
  writeSync(file, text);
  closeSync(file);
}

async function serve(runs: string) {
  const server = startCli(runs, "dashboard", ".", "--port", "0");
  onTestFinished(() => void server.child.kill("SIGKILL"));
  const [url] = (await server.address()).split("#");
  return { url: url!, pid: server.child.pid! };
}

test("a million events of fifty runs are all counted, in less than 300 MB, and no answer grows with them", { timeout: 400_000 }, async () => {
  const runs = temporaryFolder();
  for (let run = 0; run < RUNS; run++) writeLongRun(join(runs, `run-${run}`), EVENTS / RUNS);
  const { url, pid } = await serve(runs);
  await eventually(
    () => json(`${url}api/runs`),
    ({ runs: all }) => all.length === RUNS && all.every(({ progress }: { progress: number }) => progress === 1),
    300_000,
  );
  for (const id of ["run-0", "run-49"]) {
    const text = await (await fetch(`${url}api/runs/${id}`)).text();
    const { record } = JSON.parse(text);
    expect([record.events, record.steps.rows]).toEqual([EVENTS / RUNS, EVENTS / RUNS - 1]);
    expect(text.length).toBeLessThan(1 << 20);
  }
  // The most that it ever had resident; other systems do not tell.
  if (process.platform === "linux") {
    const [, peak] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
    expect(Number(peak) / 1024).toBeLessThan(300);
  }
});

test("twenty viewers of one run all hear every step, once", { timeout: 200_000 }, async () => {
  const runs = temporaryFolder();
  const writer = new RunWriter({ folder: join(runs, "live") });
  writer.start();
  writer.until(100);
  const { url } = await serve(runs);
  const { anchor } = await eventually(
    () => json(`${url}api/runs/live`),
    ({ summary }) => summary.progress === 1,
  );
  const viewers = await Promise.all(Array.from({ length: VIEWERS }, () => EventStream.open(`${url}api/runs/live/events?after=${anchor}`)));
  onTestFinished(() => {
    for (const viewer of viewers) viewer.close();
  });
  writer.until(600);
  const stepsOf = ({ events }: EventStream) => events.filter(({ type }) => type === "step").map(({ step }) => step);
  const wanted = Array.from({ length: 500 }, (_, i) => 101 + i);
  for (const viewer of viewers) {
    await viewer.until((stream) => stepsOf(stream).length >= wanted.length);
    expect(stepsOf(viewer)).toEqual(wanted);
  }
});
