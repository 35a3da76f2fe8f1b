import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { eventually, json, openDashboard } from "./fixture/open-dashboard.js";
import { RunWriter } from "./fixture/run-writer.js";
import { temporaryFolder } from "./fixture/temporary-folder.js";

const TOKEN = "a-token-of-enough-length-0123456789";

async function setUp({ mode = "control" as "control" | "full" | "none" } = {}) {
  const runs = temporaryFolder();
  const writer = new RunWriter({ folder: join(runs, "live") });
  writer.start();
  writer.until(5);
  const options = mode === "control" ? { controlToken: TOKEN } : mode === "full" ? { token: TOKEN } : {};
  const { url } = await openDashboard({ runs, ...options });
  const headers: Record<string, string> = mode === "full" ? { authorization: `Bearer ${TOKEN}` } : {};
  await eventually(
    () => json(`${url}api/runs`, { headers }),
    (answer) => answer.runs[0]?.step === 5,
  );
  const session = JSON.parse(readFileSync(writer.file, "utf8").split("\n")[0]!).t;
  const ask = (body: unknown, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }, run = "live") =>
    fetch(`${url}api/runs/${run}/control`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const logIn = async () => {
    const answer = await fetch(`${url}api/login`, { method: "POST", headers: { authorization: `Bearer ${TOKEN}` } });
    return answer.headers.get("set-cookie")!.split(";")[0]!;
  };
  return { runs, writer, url, session, ask, logIn, file: join(writer.folder, "control.jsonl") };
}

describe("control of a run", () => {
  test("a request with the token becomes a line of control.jsonl", async () => {
    const { ask, session, file } = await setUp();
    for (const command of ["pause", "resume", "checkpoint", "samples", "stop"]) {
      const answer = await ask({ command, session });
      expect(answer.status).toBe(202);
      const { id } = (await answer.json()) as { id: string };
      const lines = readFileSync(file, "utf8").trim().split("\n").filter(Boolean);
      expect(JSON.parse(lines.at(-1)!)).toMatchObject({ id, session, command, t: expect.any(Number) });
    }
  });

  test("reading stays open with a control token; control does not, and a dashboard without a token offers none", async () => {
    const open = await setUp();
    expect((await fetch(`${open.url}api/runs`)).status).toBe(200);
    expect(await json(`${open.url}api/session`)).toEqual({ canControl: false, hasToken: true });
    expect(await json(`${open.url}api/session`, { headers: { authorization: `Bearer ${TOKEN}` } })).toEqual({ canControl: true, hasToken: true });
    for (const headers of [{}, { authorization: "Bearer wrong-wrong-wrong-wrong" }, { authorization: TOKEN }, { cookie: "voxstream_0=1" }])
      expect((await open.ask({ command: "stop", session: open.session }, headers as Record<string, string>)).status).toBe(401);
    const none = await setUp({ mode: "none" });
    expect(await json(`${none.url}api/session`)).toEqual({ canControl: false, hasToken: false });
    expect((await none.ask({ command: "stop", session: none.session })).status).toBe(403);
    const full = await setUp({ mode: "full" });
    expect((await full.ask({ command: "pause", session: full.session }, {})).status).toBe(401);
    expect((await full.ask({ command: "pause", session: full.session })).status).toBe(202);
    for (const { file } of [open, none]) expect(existsSync(file)).toBe(false);
  });

  test("the cookie counts only for requests of the dashboard's own page", async () => {
    const { ask, logIn, session, url, file } = await setUp();
    const cookie = await logIn();
    const status = async (headers: Record<string, string>) => (await ask({ command: "checkpoint", session }, { cookie, ...headers })).status;
    expect(await status({})).toBe(403);
    expect(await status({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await status({ "sec-fetch-site": "same-site" })).toBe(403);
    expect(await status({ "sec-fetch-site": "none" })).toBe(403);
    expect(await status({ origin: "http://evil.example" })).toBe(403);
    expect(await status({ origin: "null" })).toBe(403);
    expect(existsSync(file)).toBe(false);
    expect(await status({ origin: new URL(url).origin })).toBe(202);
    expect(await status({ "sec-fetch-site": "same-origin" })).toBe(202);
    // A form of another site cannot send JSON.
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
      expect([400, 415]).toContain(
        (await ask(JSON.stringify({ command: "stop", session }), { cookie, origin: new URL(url).origin, "content-type": type })).status,
      );
  });

  test("strange requests are refused", async () => {
    const { ask, session } = await setUp();
    for (const body of [
      {},
      { command: "stop" },
      { session },
      { command: "reboot", session },
      { command: "stop", session: "now" },
      "null",
      "[]",
      "{",
      '"stop"',
      JSON.stringify({ command: "stop", session, more: "x".repeat(10_000) }),
    ])
      expect([400, 413], JSON.stringify(body).slice(0, 60)).toContain((await ask(body)).status);
    expect((await ask({ command: "stop", session: session - 1 })).status).toBe(409);
    for (const run of ["none", "..", "%2e%2e%2flive", "live%2f..%2flive"])
      expect([404, 403]).toContain((await ask({ command: "stop", session }, undefined, run)).status);
    expect((await fetch(`${(await setUp()).url}api/runs/live/control`)).status).toBe(404);
  });

  test("a run that is over, or deleted, is not told anything", async () => {
    const { ask, session, writer, file, runs, url } = await setUp();
    const list = () => json(`${url}api/runs`);
    writer.write({ type: "end", status: "completed" });
    await eventually(list, ({ runs: all }) => all[0]?.state === "completed");
    expect((await ask({ command: "stop", session })).status).toBe(409);
    expect(existsSync(file)).toBe(false);
    rmSync(join(runs, "live"), { recursive: true });
    await eventually(list, ({ runs: all }) => all.length === 0);
    expect((await ask({ command: "stop", session })).status).toBe(404);
    expect(existsSync(join(runs, "live"))).toBe(false);
  });

  test("nothing is written through a link, into a folder or into a pipe", async () => {
    const { ask, session, file, runs } = await setUp();
    const target = join(runs, "target.txt");
    writeFileSync(target, "untouched");
    symlinkSync(target, file);
    expect((await ask({ command: "stop", session })).status).toBe(409);
    expect(readFileSync(target, "utf8")).toBe("untouched");
    rmSync(file);
    mkdirSync(file);
    expect((await ask({ command: "stop", session })).status).toBe(409);
    rmSync(file, { recursive: true });
    execFileSync("mkfifo", [file]);
    expect((await ask({ command: "stop", session })).status).toBe(409);
    rmSync(file);
    writeFileSync(file, "x".repeat(2 << 20));
    expect((await ask({ command: "stop", session })).status).toBe(409);
  });

  test("asking without end is refused", async () => {
    const { ask, session } = await setUp();
    const statuses = [];
    for (let i = 0; i < 64; i++) statuses.push((await ask({ command: "checkpoint", session })).status);
    expect(statuses.slice(0, 60)).toEqual(Array(60).fill(202));
    expect(statuses.slice(60)).toEqual(Array(4).fill(429));
  });

  test("the state of a paused run is told", async () => {
    const { url, writer } = await setUp();
    const state = async () => (await json(`${url}api/runs`)).runs[0].state;
    writer.write({ type: "control", command: "pause", id: "a", step: 5 });
    await expect.poll(state).toBe("paused");
    writer.write({ type: "control", command: "resume", id: "b", step: 5 });
    await expect.poll(state).toBe("running");
  });
});
