import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EventStream } from "./fixture/event-stream.js";
import { eventually, json, openDashboard } from "./fixture/open-dashboard.js";
import { writePhantomCase } from "./fixture/phantom-case.js";
import { RunWriter } from "./fixture/run-writer.js";
import { temporaryFolder } from "./fixture/temporary-folder.js";

const TOKEN = "a-token-of-enough-length-0123456789";
const SECRET = "the secret of another folder";

async function setUp(options: { readonly token?: string; readonly rate?: number } = {}) {
  const outside = temporaryFolder();
  const runs = join(outside, "runs");
  mkdirSync(join(runs, "first", "figures"), { recursive: true });
  writeFileSync(join(outside, "secret.json"), JSON.stringify({ secret: SECRET }));
  writeFileSync(join(outside, "secret.png"), SECRET);
  mkdirSync(join(outside, "elsewhere"));
  new RunWriter({ folder: join(outside, "elsewhere", "private") }).start();
  const writer = new RunWriter({ folder: join(runs, "first") });
  writer.start();
  writeFileSync(join(runs, "first", "figures", "loss.png"), "a picture");
  const { url } = await openDashboard({ runs, ...options });
  return { outside, runs, url, writer };
}

/** A request whose path is sent as it stands: `fetch` would resolve the dots. */
function raw(
  url: string,
  path: string,
  { method = "GET", headers = {}, body = "" } = {},
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode!, text, headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const ESCAPES = [
  "..",
  "../..",
  "%2e%2e",
  "%2e%2e%2f%2e%2e%2fsecret.json",
  "..%2fsecret.json",
  "..%2f..%2fsecret.png",
  "..%5c..%5csecret.png",
  "%252e%252e%252fsecret.png",
  "....//secret.png",
  "first%2f..%2f..%2felsewhere%2fprivate",
  "%2fetc%2fpasswd",
  "first%00",
  "figures%2floss.png",
  ".",
  "%2e",
  "~",
];

describe("access", () => {
  test("no path escapes the folder of runs, in any parameter", async () => {
    const { url } = await setUp();
    const paths = ESCAPES.flatMap((way) => [
      `/${way}`,
      `/assets/${way}`,
      `/api/runs/${way}`,
      `/api/runs/${way}/events`,
      `/api/runs/${way}/manifest`,
      `/api/runs/${way}/evaluation`,
      `/api/runs/${way}/files`,
      `/api/runs/${way}/series?from=0&to=5`,
      `/api/runs/${way}/files/figures/loss.png`,
      `/api/runs/first/files/${way}/secret.png`,
      `/api/runs/first/files/figures/${way}`,
      `/api/runs/first/files/${way}/${way}`,
      `/api/runs/first/files/samples/${way}`,
      `/api/runs/${way}/cases`,
      `/api/runs/${way}/cases/case_00000/image`,
      `/api/runs/first/cases/${way}/image`,
      `/api/runs/first/cases/${way}/overlay/png`,
      `/api/runs/first/cases/case_00000/${way}`,
      `/api/runs/first/cases/case_00000/overlay/${way}`,
      `/api/runs/first/cases/${way}/epochs/10`,
      `/api/runs/first/cases/case_00000/epochs/${way}`,
      `/api/runs/${way}/curves/loss`,
      `/api/runs/first/curves/${way}`,
      `/api/runs/first/events?after=${way}`,
    ]);
    for (const path of paths) {
      const { status, text } = await raw(url, path);
      expect(text, path).not.toContain(SECRET);
      expect(text, path).not.toContain("root:");
      // `/.` and the like are the page itself, and `/api/runs/.` the list of runs.
      if (status === 200 && path.includes("?after=")) expect(text, path).toMatch(/^retry|^event: hello|^data|^id/m);
      else if (status === 200)
        expect(
          text.startsWith("<!doctype html>") || /^\{"runs":\[\{"id":"first"/.test(text) || text.startsWith("The dashboard's page"),
          `${path} gave ${text.slice(0, 80)}`,
        ).toBe(true);
      // Drawing is allowed a few times a minute only, whatever is asked for.
      else expect([400, 403, 404, ...(path.includes("/overlay/") ? [429] : [])], `${path} gave ${status}`).toContain(status);
    }
    expect((await raw(url, "/api/runs/first/files/figures/loss.png")).text).toBe("a picture");
  });

  test("symbolic links out of the folder are not followed", async () => {
    const { outside, runs, url } = await setUp();
    symlinkSync(join(outside, "elsewhere", "private"), join(runs, "linked-run"));
    symlinkSync(join(outside, "secret.png"), join(runs, "first", "figures", "link.png"));
    symlinkSync(outside, join(runs, "first", "overlays"));
    symlinkSync(join(outside, "secret.json"), join(runs, "first", "manifest.json"));
    mkdirSync(join(runs, "sly"));
    symlinkSync(join(outside, "elsewhere", "private", "events.jsonl"), join(runs, "sly", "events.jsonl"));
    new RunWriter({ folder: join(runs, "later") }).start();
    const { runs: all } = await eventually(
      () => json(`${url}api/runs`),
      (answer) => answer.runs.length > 1,
    );
    expect(all.map(({ id }: any) => id).sort()).toEqual(["first", "later"]);
    expect((await raw(url, "/api/runs/first/files/figures/link.png")).status).toBe(404);
    expect((await raw(url, "/api/runs/first/files/overlays/secret.png")).status).toBe(404);
    expect((await json(`${url}api/runs/first/manifest`)).manifest).toBeNull();
    expect(JSON.stringify(await json(`${url}api/runs/first/files`))).not.toContain("secret");
  });

  test("volumes are sent of predicted cases only, from the allowed folders only", async () => {
    const { outside, runs, writer } = await setUp();
    const data = join(outside, "data");
    for (const id of ["case_00000", "case_00001"])
      writePhantomCase({ image: join(data, id, "imaging.nii.gz"), label: join(data, id, "segmentation.nii.gz") });
    writePhantomCase({ image: join(outside, "secret.nii.gz"), prediction: join(writer.folder, "predictions", "case_00000.nii.gz") });
    symlinkSync(join(outside, "secret.nii.gz"), join(writer.folder, "predictions", "case_00009.nii.gz"));
    mkdirSync(join(data, "case_00002"));
    symlinkSync(join(outside, "secret.nii.gz"), join(data, "case_00002", "imaging.nii.gz"));
    writePhantomCase({ prediction: join(writer.folder, "predictions", "case_00002.nii.gz") });
    const { url } = await openDashboard({ runs, data: [data] });
    const { cases } = await json(`${url}api/runs/first/cases`);
    expect(cases.map(({ id, volumes }: any) => [id, Object.keys(volumes)])).toEqual([
      ["case_00000", ["image", "label", "prediction"]],
      ["case_00002", ["prediction"]],
    ]);
    const status = async (path: string) => (await raw(url, `/api/runs/first/cases/${path}`)).status;
    for (const volume of ["image", "label", "prediction"]) expect(await status(`case_00000/${volume}`)).toBe(200);
    for (const path of [
      "case_00001/image",
      "case_00001/label",
      "case_00002/image",
      "case_00009/prediction",
      "case_00000/other",
      "case_00000/events.jsonl",
    ]) {
      expect([400, 404], path).toContain(await status(path));
    }
    for (const way of ESCAPES) for (const volume of ["image", "prediction"]) expect([400, 403, 404], way).toContain(await status(`${way}/${volume}`));
    const closed = await openDashboard({ runs });
    expect((await raw(closed.url, "/api/runs/first/cases/case_00000/image")).status).toBe(404);
    expect((await raw(closed.url, "/api/runs/first/cases/case_00000/prediction")).status).toBe(200);
  });

  test("a manifest names cases, and no more: not files elsewhere, not those of other runs", async () => {
    const { outside, runs, writer } = await setUp();
    const data = join(outside, "data");
    for (const id of ["case_00000", "case_00001"])
      writePhantomCase({ image: join(data, id, "imaging.nii.gz"), label: join(data, id, "segmentation.nii.gz") });
    writePhantomCase({ image: join(outside, "secret.nii.gz") });
    const ids = ["case_00000", "../secret", "../../secret", join(outside, "secret"), "", ".", 7, null, { id: "case_00001" }];
    writeFileSync(join(writer.folder, "manifest.json"), JSON.stringify({ cases: { training: ids, validation: "case_00001" } }));
    const { url } = await openDashboard({ runs, data: [data], cases: [{ id: "text", image: join(outside, "secret.json") }] });
    const { cases } = await json(`${url}api/runs/first/cases`);
    expect(cases.map(({ id, role, volumes }: any) => [id, role, Object.keys(volumes)])).toEqual([["case_00000", "training", ["image", "label"]]]);
    expect((await raw(url, "/api/runs/first/cases/case_00000/image")).status).toBe(200);
    for (const id of ["case_00001", "..%2fsecret", "..%2f..%2fsecret", encodeURIComponent(join(outside, "secret")), "text", "%5bobject%20Object%5d"])
      expect([400, 403, 404], id).toContain((await raw(url, `/api/runs/first/cases/${id}/image`)).status);
  });

  test("files of single cases are shown from where the owner says, in any layout", async () => {
    const { outside, runs, writer } = await setUp();
    const image = join(outside, "odd", "scan-17.nii.gz");
    writePhantomCase({ image });
    writeFileSync(join(writer.folder, "manifest.json"), JSON.stringify({ cases: { training: ["patient 17"], validation: [] } }));
    const { url } = await openDashboard({
      runs,
      cases: [
        { id: "patient 17", image },
        { id: "patient 18", image },
      ],
    });
    expect((await json(`${url}api/runs/first/cases`)).cases.map(({ id }: any) => id)).toEqual(["patient 17"]);
    expect((await raw(url, "/api/runs/first/cases/patient%2017/image")).status).toBe(200);
    expect((await raw(url, "/api/runs/first/cases/patient%2018/image")).status).toBe(404);
  });

  test("files of other kinds are not sent", async () => {
    const { runs, url } = await setUp();
    for (const name of ["a.html", "a.svg", "a.js", "a", "events.jsonl"]) {
      writeFileSync(join(runs, "first", "figures", name), "<script>alert(1)</script>");
      expect((await raw(url, `/api/runs/first/files/figures/${name}`)).status).toBe(404);
    }
    expect((await raw(url, "/api/runs/first/files/checkpoints/a.png")).status).toBe(400);
  });

  test("a page of another site cannot read: its name, its origin and its fetches are refused", async () => {
    const { url } = await setUp();
    const status = async (headers: Record<string, string>, path = "/api/runs") => (await raw(url, path, { headers })).status;
    expect(await status({ host: "evil.example" })).toBe(403);
    expect(await status({ host: "evil.example" }, "/")).toBe(403);
    expect(await status({ host: "127.0.0.1.evil.example:80" })).toBe(403);
    expect(await status({ host: "localhost.evil.example" })).toBe(403);
    expect(await status({ host: "localhost:9999" })).toBe(200);
    expect(await status({ host: "[::1]:80" })).toBe(200);
    expect(await status({ "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await status({ "sec-fetch-site": "same-site" })).toBe(403);
    expect(await status({ "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await status({ "sec-fetch-site": "none" })).toBe(200);
    expect(await status({ origin: "http://evil.example" })).toBe(403);
    expect(await status({ origin: "null" })).toBe(403);
    expect(await status({ "sec-fetch-site": "cross-site" }, "/metrics")).toBe(403);
    const { headers } = await raw(url, "/api/runs");
    expect(headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("every answer carries the strict policy", async () => {
    const { url } = await setUp();
    for (const path of ["/", "/api/runs", "/nothing", "/api/runs/none"]) {
      const { headers } = await raw(url, path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
      expect(headers["x-frame-options"]).toBeDefined();
      expect(headers["x-powered-by"]).toBeUndefined();
    }
  });

  test("bodies, headers and names have limits", async () => {
    const { url } = await setUp();
    const big = await raw(url, "/api/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify("x".repeat(20_000)),
    });
    expect(big.status).toBe(413);
    expect((await raw(url, `/api/runs/${"x".repeat(2000)}`)).status).toBeGreaterThanOrEqual(400);
    expect((await raw(url, "/api/runs", { headers: { "x-long": "x".repeat(20_000) } })).status).toBe(431);
    expect((await raw(url, "/api/runs/first/series?from=-1&to=5")).status).toBe(400);
    expect((await raw(url, "/api/runs/first/series?from=a&to=5")).status).toBe(400);
    expect((await raw(url, "/api/runs/first/series")).status).toBe(400);
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) expect((await raw(url, "/api/runs/first", { method })).status).toBe(404);
    expect((await raw(url, `/api/runs/first/events?after=${"9".repeat(60)}`, { headers: { accept: "text/event-stream" } })).text).toContain(
      "event: reset",
    );
    expect((await raw(url, "/api/runs/first/events?after=%0d%0aevent:x", { headers: { accept: "text/event-stream" } })).text).toContain(
      "event: reset",
    );
  });

  test("errors tell nothing about this machine", async () => {
    const { outside, url } = await setUp();
    for (const path of ["/api/runs/none", "/api/runs/first/files/figures/none.png", "/nothing", "/api/runs/first/files/x/y"]) {
      const { text } = await raw(url, path);
      expect(text).not.toContain(outside);
      expect(text).not.toMatch(/\bat .*\.(ts|js):\d+/);
      expect(JSON.parse(text)).toHaveProperty("error.message");
    }
  });

  test("too many requests are turned away", async () => {
    const { url } = await setUp({ rate: 10 });
    const statuses = [];
    for (let i = 0; i < 14; i++) statuses.push((await raw(url, i % 2 ? "/api/runs" : "/nothing")).status);
    expect(statuses.slice(0, 10).every((status) => status !== 429)).toBe(true);
    expect(statuses.slice(10)).toEqual([429, 429, 429, 429]);
  });

  test("with a token, data needs it: as bearer or as the cookie given for it", async () => {
    const { url } = await setUp({ token: TOKEN });
    for (const path of [
      "/api/runs",
      "/api/runs/first",
      "/api/runs/first/events",
      "/api/runs/first/files/figures/loss.png",
      "/api/runs/first/curves/loss",
      "/api/runs/first/cases",
      "/api/session",
      "/api/openapi.json",
      "/api/system",
      "/metrics",
    ]) {
      expect((await raw(url, path)).status, path).toBe(401);
      expect((await raw(url, path, { headers: { cookie: "voxstream=1" } })).status, path).toBe(401);
    }
    for (const authorization of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, TOKEN, "Bearer ", `Basic ${TOKEN}`]) {
      expect((await raw(url, "/api/runs", { headers: { authorization } })).status, authorization).toBe(401);
      expect((await raw(url, "/api/login", { method: "POST", headers: { authorization } })).status, authorization).toBe(401);
    }
    expect((await raw(url, `/api/runs?token=${TOKEN}`)).status).toBe(401);
    expect((await raw(url, "/API/runs")).status).toBe(404);
    for (const path of [
      "/%61pi/runs",
      "/api/%72uns",
      "/api/runs/",
      "/api//runs",
      "//api/runs",
      "/./api/runs",
      "/api/runs/%66irst",
      "/metrics?x=1",
      "/%6detrics",
    ]) {
      expect([401, 403, 404], path).toContain((await raw(url, path)).status);
    }
    expect((await raw(url, "/api/runs", { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
    // Another name of this machine is fine when the token is known.
    expect((await raw(url, "/api/runs", { headers: { authorization: `Bearer ${TOKEN}`, host: "gpu-box.lan" } })).status).toBe(200);

    const refused = await raw(url, "/api/login", { method: "POST", headers: { authorization: "Bearer wrong-wrong-wrong-wrong" } });
    expect(refused.status).toBe(401);
    expect(refused.headers["set-cookie"]).toBeUndefined();
    const taken = await raw(url, "/api/login", { method: "POST", headers: { authorization: `Bearer ${TOKEN}` } });
    expect(taken.status).toBe(204);
    const [set] = taken.headers["set-cookie"] as string[];
    expect(set).toMatch(/HttpOnly/);
    expect(set).toMatch(/SameSite=Strict/);
    expect(set).not.toContain(TOKEN);
    const cookie = set!.split(";")[0]!;
    expect((await raw(url, "/api/runs", { headers: { cookie: `other=1; ${cookie}` } })).status).toBe(200);
    expect((await raw(url, "/api/runs", { headers: { cookie: `${cookie}0` } })).status).toBe(401);
    const stream = await EventStream.open(`${url}api/runs/first/events?after=0-811c9dc5`, { cookie });
    await stream.until(() => stream.events.length > 0);
    stream.close();
    expect((await raw(url, "/api/runs", { headers: { cookie, "sec-fetch-site": "cross-site" } })).status).toBe(403);
  });

  test("tokens cannot be guessed by the thousand", async () => {
    const { url } = await setUp({ token: TOKEN });
    const statuses = [];
    for (let i = 0; i < 25; i++)
      statuses.push((await raw(url, "/api/login", { method: "POST", headers: { authorization: `Bearer guess-number-${i}-0123456789` } })).status);
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(401));
    expect(statuses.slice(20)).toEqual(Array(5).fill(429));
  });
});
