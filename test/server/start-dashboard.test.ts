import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startDashboard } from "../../src/server/index.js";
import { RunRecord } from "../../src/server/live/run-record.js";
import { EventStream } from "./fixture/event-stream.js";
import { eventually, json, openDashboard } from "./fixture/open-dashboard.js";
import { RunWriter } from "./fixture/run-writer.js";
import { temporaryFolder } from "./fixture/temporary-folder.js";

async function setUp({ steps = 60, name = "first" } = {}) {
  const runs = temporaryFolder();
  const writer = new RunWriter({ folder: join(runs, name), epochs: 10, stepsPerEpoch: 50 });
  writer.manifest();
  writer.start();
  writer.until(steps);
  const dashboard = await openDashboard({ runs });
  const list = () => json(`${dashboard.url}api/runs`);
  const run = (id = name) => json(`${dashboard.url}api/runs/${encodeURIComponent(id)}`);
  const isRead = (answer: any) => answer.summary.progress === 1;
  return { runs, writer, dashboard, list, run, isRead };
}

const stepsOf = (stream: EventStream) => stream.events.filter(({ type }) => type === "step").map(({ step }) => step);
const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, i) => from + 1 + i);

describe("startDashboard", () => {
  test("lists runs, their folds, and a run that appears later", async () => {
    const { runs, list } = await setUp();
    expect((await eventually(list, ({ runs: all }) => all[0]?.step === 60)).runs[0]).toMatchObject({
      id: "first",
      state: "running",
      epoch: 1,
      epochs: 10,
      engine: "native",
    });
    new RunWriter({ folder: join(runs, "cross", "fold-0"), seed: 2 }).complete();
    const { runs: all } = await eventually(list, ({ runs: now }) => now.length === 2 && now.every((run: any) => run.progress === 1));
    expect(all.find(({ id }: any) => id === "cross/fold-0")).toMatchObject({
      state: "completed",
      epoch: 40,
      best: { name: "softDice", isValidation: true },
    });
  });

  test("finds the folds of a comparison, and those of a folder that is itself a cross-validation or comparison", async () => {
    const { runs, list } = await setUp();
    for (const variant of ["unet", "residual"]) new RunWriter({ folder: join(runs, "duel", "variants", `${variant}-seed-0`, "fold-1") }).start();
    new RunWriter({ folder: join(runs, "cross", "fold-0") }).start();
    const { runs: all } = await eventually(list, ({ runs: now }) => now.length === 4);
    expect(all.map(({ id }: any) => id).sort()).toEqual(["cross/fold-0", "duel/residual-seed-0/fold-1", "duel/unet-seed-0/fold-1", "first"]);
    const duel = await openDashboard({ runs: join(runs, "duel") });
    expect((await json(`${duel.url}api/runs`)).runs.map(({ id }: any) => id).sort()).toEqual([
      "duel/residual-seed-0/fold-1",
      "duel/unet-seed-0/fold-1",
    ]);
    const cross = await openDashboard({ runs: join(runs, "cross") });
    expect((await json(`${cross.url}api/runs`)).runs.map(({ id }: any) => id)).toEqual(["cross/fold-0"]);
    expect((await json(`${cross.url}api/runs/cross%2Ffold-0`)).summary.id).toBe("cross/fold-0");
  });

  test("shows a folder that is itself a run", async () => {
    const { runs } = await setUp();
    const { url } = await openDashboard({ runs: join(runs, "first") });
    expect((await json(`${url}api/runs`)).runs.map(({ id }: any) => id)).toEqual(["first"]);
  });

  test("a snapshot and the stream behind its anchor together hold every step once", async () => {
    const { writer, dashboard, run, isRead } = await setUp({ steps: 120 });
    const { anchor, record } = await eventually(run, isRead);
    expect(record.steps.rows).toBe(120);
    const stream = await EventStream.open(`${dashboard.url}api/runs/first/events?after=${anchor}`);
    writer.until(180);
    await stream.until(() => stepsOf(stream).length >= 60);
    expect(stepsOf(stream)).toEqual(upTo(180, 120));
    stream.close();
  });

  test("a client that comes back with its last id misses nothing, also after a restart of the server", async () => {
    const { runs, writer, dashboard, run, isRead } = await setUp({ steps: 10 });
    const { anchor } = await eventually(run, isRead);
    const before = await EventStream.open(`${dashboard.url}api/runs/first/events?after=${anchor}`);
    writer.until(40);
    await before.until(() => stepsOf(before).length >= 30);
    await dashboard.close();
    await before.until(() => !before.isOpen);
    writer.until(90);
    const again = await openDashboard({ runs });
    const after = await EventStream.open(`${again.url}api/runs/first/events?after=${anchor}`, { "last-event-id": before.lastId });
    writer.until(110);
    await after.until(() => stepsOf(after).length >= 70);
    expect([...stepsOf(before), ...stepsOf(after)]).toEqual(upTo(110, 10));
    after.close();
  });

  test("the stream skips corrupt and half-written lines as the record does", async () => {
    const { writer, dashboard, run, isRead } = await setUp({ steps: 5 });
    const { anchor } = await eventually(run, isRead);
    const stream = await EventStream.open(`${dashboard.url}api/runs/first/events?after=${anchor}`);
    const line = writer.line(writer.nextStep());
    appendFileSync(writer.file, `{"t":1,"type":"st\nnot json\n${line.slice(0, 30)}`);
    await eventually(run, ({ summary }) => summary.corruptLines === 2);
    appendFileSync(writer.file, line.slice(30));
    await stream.until(() => stepsOf(stream).length === 1);
    expect(stepsOf(stream)).toEqual([6]);
    expect((await run()).record.steps.rows).toBe(6);
    stream.close();
  });

  test("a resumed run, whose file is cut back, resets the stream and is read anew", async () => {
    const { writer, dashboard, run, isRead } = await setUp({ steps: 90 });
    const { anchor } = await eventually(run, isRead);
    const stream = await EventStream.open(`${dashboard.url}api/runs/first/events?after=${anchor}`);
    await stream.until(() => stream.messages.length > 0);
    truncateSync(writer.file, 8000);
    await stream.until(() => stream.messages.some(({ event }) => event === "reset"));
    const { record, summary } = await eventually(run, (answer) => isRead(answer) && answer.record.steps.rows < 90);
    expect(record.steps.rows).toBeGreaterThan(10);
    expect(summary.state).toBe("running");
    const stale = await EventStream.open(`${dashboard.url}api/runs/first/events`, { "last-event-id": anchor });
    await stale.until(() => stale.messages.some(({ event }) => event === "reset"));
  });

  test("a run that is deleted while it is streamed says so and leaves the list", async () => {
    const { runs, dashboard, run, isRead, list } = await setUp();
    const { anchor } = await eventually(run, isRead);
    const stream = await EventStream.open(`${dashboard.url}api/runs/first/events?after=${anchor}`);
    rmSync(join(runs, "first"), { recursive: true });
    await stream.until(() => stream.messages.some(({ event }) => event === "gone"));
    await eventually(list, ({ runs: all }) => all.length === 0);
    expect((await fetch(`${dashboard.url}api/runs/first`)).status).toBe(404);
  });

  test("a renamed run is found under its new name", async () => {
    const { runs, list } = await setUp();
    renameSync(join(runs, "first"), join(runs, "second"));
    await eventually(list, ({ runs: all }) => all.length === 1 && all[0].id === "second" && all[0].step === 60);
  });

  test("a zoomed part comes in full detail, and agrees with the file", async () => {
    const { writer, dashboard, run } = await setUp({ steps: 10 });
    writer.until(5000);
    await eventually(run, ({ summary, record }) => summary.progress === 1 && record.steps.rows === 5000);
    const { steps } = await json(`${dashboard.url}api/runs/first/series?from=3001&to=3400`);
    expect(steps).toMatchObject({ rows: 400, width: 1 });
    const { record } = await run();
    expect(record.steps.width).toBeGreaterThan(1);
    expect(steps.x).toEqual(upTo(3400, 3000));
    expect(RunRecord.fromJSON(record).steps.rows).toBe(5000);
    expect(await json(`${dashboard.url}api/runs/first/series?from=90000&to=90010`)).toEqual({ steps: null });
  });

  test("the list answers while long files are still being read", async () => {
    const runs = temporaryFolder();
    const writer = new RunWriter({ folder: join(runs, "a"), stepsPerEpoch: 100_000 });
    const block = Array.from({ length: 20_000 }, () => writer.line(writer.nextStep())).join("");
    for (let i = 0; i < 10; i++) {
      mkdirSync(join(runs, `run-${i}`));
      writeFileSync(join(runs, `run-${i}`, "events.jsonl"), block);
    }
    const { url } = await openDashboard({ runs });
    const { runs: all } = await json(`${url}api/runs`);
    expect(all).toHaveLength(10);
    expect(all.some(({ progress }: any) => progress < 1)).toBe(true);
    const read = await eventually(
      () => json(`${url}api/runs`),
      ({ runs: now }) => now.every((run: any) => run.progress === 1),
    );
    expect(read.runs.every(({ step }: any) => step === 20_000)).toBe(true);
  });

  test("serves manifest, evaluation and files, and null for what is missing or half-written", async () => {
    const { runs, writer, dashboard } = await setUp();
    const base = `${dashboard.url}api/runs/first`;
    expect((await json(`${base}/manifest`)).manifest).toMatchObject({ seed: 42, engine: { name: "native" } });
    expect(await json(`${base}/evaluation`)).toEqual({ table: null, summary: null, confusion: null });
    writer.evaluation();
    const { table, summary, confusion } = await json(`${base}/evaluation`);
    expect(confusion.classes).toEqual(["background", "kidney", "tumor"]);
    expect(confusion.confusion[2]).toEqual([2400, 800, 12_800]);
    expect(confusion.cases.map(({ id }: any) => id)).toEqual(writer.cases);
    expect(table.columns).toEqual(expect.arrayContaining(["case", "class", "state", "dice", "hd95"]));
    expect(table.rows).toHaveLength(8);
    expect(summary.meanOverClasses.dice.mean).toBe(0.8193);
    const { files } = await json(`${base}/files`);
    expect(files.map(({ folder, name }: any) => `${folder}/${name}`)).toContain("overlays/case_00000.gif");
    const picture = await fetch(`${base}/files/overlays/case_00000.gif`);
    expect(picture.headers.get("content-type")).toBe("image/gif");
    expect(
      Buffer.from(await picture.arrayBuffer())
        .subarray(0, 6)
        .toString(),
    ).toBe("GIF89a");
    const known = await fetch(`${base}/files/overlays/case_00000.gif`, { headers: { "if-none-match": picture.headers.get("etag")! } });
    expect(known.status).toBe(304);
    writeFileSync(join(runs, "first", "manifest.json"), '{"seed": 4');
    expect(await json(`${base}/manifest`)).toEqual({ manifest: null });
  });

  test("serves the state of all runs to Prometheus", async () => {
    const { dashboard, run, isRead } = await setUp({ name: 'a"b\\c' });
    await eventually(run, isRead);
    const text = await (await fetch(`${dashboard.url}metrics`)).text();
    expect(text).toContain("# TYPE voxstream_run_step gauge");
    expect(text).toContain('voxstream_run_step{run="a\\"b\\\\c"} 60');
    // Memory and stages of a run that is being written.
    const labels = String.raw`run="a\"b\\c",graph="training"`;
    expect(text).toContain("# TYPE voxstream_stage_items_out_total counter");
    expect(text).toContain(`voxstream_stage_items_out_total{${labels},stage="augment"} 120`);
    expect(text).toContain(`voxstream_graph_budget_bytes{${labels}} ${4 * 1024 ** 3}`);
    const shares = ["busy", "blocked", "starved"].map((state) =>
      Number(new RegExp(`^voxstream_stage_${state}_seconds_total\\{.*stage="trainer"\\} (.*)$`, "m").exec(text)![1]),
    );
    expect(shares[0]! / (shares[0]! + shares[1]! + shares[2]!)).toBeCloseTo(0.98, 6);
    expect(text.split("\n").filter((line) => line !== "" && !/^# (HELP|TYPE) \w+ .+$|^\w+\{.+\} -?[\d.e+-]+$/.test(line))).toEqual([]);
    expect(text).not.toContain("NaN");
  });

  test("refuses options outside their rules", async () => {
    const runs = temporaryFolder();
    await expect(startDashboard({ runs, port: 70_000 })).rejects.toMatchObject({
      code: "ERR_OPTION",
      message: "dashboard: port must be an integer in 0..65535, got 70000",
    });
    await expect(startDashboard({ runs, pollMs: 1 })).rejects.toThrow("dashboard: pollMs must be 20..60000 ms, got 1");
    await expect(startDashboard({ runs, rate: 0 })).rejects.toThrow("dashboard: rate must be an integer of at least 10 per minute, got 0");
    await expect(startDashboard({ runs, token: "short" })).rejects.toThrow(
      'token must be at least 16 printable ASCII characters without spaces, got "5 characters"',
    );
    await expect(startDashboard({ runs, host: "0.0.0.0" })).rejects.toThrow(
      "token must be given when the host is not 127.0.0.1, ::1 or localhost but 0.0.0.0",
    );
    await expect(startDashboard({ runs: join(runs, "none") })).rejects.toMatchObject({
      code: "ERR_SERVER",
      message: expect.stringContaining("runs must be an existing folder"),
    });
    writeFileSync(join(runs, "file"), "");
    await expect(startDashboard({ runs: join(runs, "file") })).rejects.toThrow("runs must be a folder, got the file");
  });

  test("says when the port is taken", async () => {
    const runs = temporaryFolder();
    const { url } = await openDashboard({ runs });
    await expect(startDashboard({ runs, port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: "ERR_SERVER",
      message: expect.stringContaining("cannot listen on 127.0.0.1"),
    });
  });

  test("closes while clients are connected", async () => {
    const { dashboard } = await setUp();
    const stream = await EventStream.open(`${dashboard.url}api/runs/first/events?after=0-811c9dc5`);
    await stream.until(() => stream.messages.length > 0);
    await dashboard.close();
    await stream.until(() => !stream.isOpen);
    await expect(fetch(`${dashboard.url}api/runs`)).rejects.toThrow();
  });
});
