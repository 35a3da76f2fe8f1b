import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Fastify from "fastify";
import { describe, expect, test } from "vitest";
import { eventually, json, openDashboard } from "./fixture/open-dashboard.js";
import { writePhantomCase } from "./fixture/phantom-case.js";
import { RunWriter } from "./fixture/run-writer.js";
import { temporaryFolder } from "./fixture/temporary-folder.js";

const TOKEN = "a-token-of-enough-length-0123456789";

async function setUp() {
  const root = temporaryFolder();
  const folder = join(root, "runs", "first");
  const writer = new RunWriter({ folder, epochs: 3, stepsPerEpoch: 10, cases: ["case_00000", "case_00003"] });
  writer.complete();
  writePhantomCase({ prediction: join(folder, "predictions", "case_00000.nii.gz") });
  mkdirSync(join(folder, "samples"));
  writeFileSync(join(folder, "samples", "step-000000001.bin"), "voxels");
  const live = new RunWriter({ folder: join(root, "runs", "live"), seed: 3 });
  live.start();
  live.until(12);
  live.write({ ...live.nextStep(), loss: Number.NaN });
  live.write({ type: "control", command: "pause", id: "a", step: 12 });
  live.write({ type: "samples", path: "samples/step-1.json", step: 1, epoch: 1, count: 2 });
  live.write({
    type: "system",
    cores: 1.5,
    rssBytes: 1e9,
    threads: 12,
    machineLoad: 0.5,
    machineBytes: 3e9,
    machineTotalBytes: 9e9,
    gpus: [{ name: "H100", load: 0.5 }],
  });
  live.write({ type: "preview", path: "previews/a.png", id: "a", epoch: 1, volumes: { image: "a", label: "b", prediction: "c" } });
  live.write({ type: "cases", epoch: 1, cases: [{ id: "a", dice: { kidney: 0.5 }, path: "validation/epoch-00001/a.nii.gz" }] });
  writePhantomCase({ prediction: join(root, "runs", "first", "validation", "epoch-00010", "case_00000.nii.gz") });
  new RunWriter({ folder: join(root, "runs", "empty") });
  writeFileSync(join(root, "runs", "empty", "events.jsonl"), "");
  const { url } = await openDashboard({ runs: join(root, "runs"), controlToken: TOKEN });
  await eventually(
    () => json(`${url}api/runs`),
    ({ runs }) => runs.length === 3 && runs.every(({ progress }: any) => progress === 1),
  );
  return { url, description: await json(`${url}api/openapi.json`) };
}

/** Compares values with a schema of the description, by the same validator that checks the requests. */
async function validator(description: any): Promise<(schema: object, value: unknown) => string> {
  const server = Fastify({
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: false, allErrors: true } },
  });
  server.post("/", { schema: { body: { type: "object" } } }, async () => "");
  await server.ready();
  const local = (text: string) => JSON.parse(text.replaceAll('"#/components/schemas/', '"#/$defs/'));
  const $defs = local(JSON.stringify(description.components.schemas));
  return (schema, value) => {
    const check = server.validatorCompiler!({
      schema: { ...local(JSON.stringify(schema)), $defs },
      method: "POST",
      url: "/",
      httpPart: "body",
    }) as any;
    return check(value) === true ? "" : JSON.stringify(check.errors).slice(0, 600);
  };
}

const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  "/api/runs": ["api/runs"],
  "/api/runs/{run}": ["api/runs/first", "api/runs/live", "api/runs/empty"],
  "/api/runs/{run}/series": ["api/runs/first/series?from=2&to=9", "api/runs/empty/series?from=2&to=9"],
  "/api/runs/{run}/files": ["api/runs/first/files", "api/runs/empty/files"],
  "/api/runs/{run}/files/{folder}/{file}": ["api/runs/first/files/overlays/case_00000.gif", "api/runs/first/files/samples/step-000000001.bin"],
  "/api/runs/{run}/curves/{curves}": ["api/runs/first/curves/loss", "api/runs/first/curves/scores", "api/runs/live/curves/time"],
  "/api/runs/{run}/cases": ["api/runs/first/cases", "api/runs/live/cases"],
  "/api/runs/{run}/cases/{case}/{volume}": ["api/runs/first/cases/case_00000/prediction"],
  "/api/runs/{run}/cases/{case}/epochs/{epoch}": ["api/runs/first/cases/case_00000/epochs/10"],
  "/api/runs/{run}/manifest": ["api/runs/first/manifest", "api/runs/live/manifest"],
  "/api/runs/{run}/evaluation": ["api/runs/first/evaluation", "api/runs/live/evaluation"],
  "/api/session": ["api/session"],
  "/api/system": ["api/system"],
  "/api/openapi.json": ["api/openapi.json"],
  "/metrics": ["metrics"],
};

describe("the description of the API", () => {
  test("names every route, each with a summary, bounded parameters and its answers", async () => {
    const { description } = await setUp();
    expect(description.openapi).toBe("3.1.0");
    expect(Object.keys(description.paths).sort()).toEqual(
      [
        ...Object.keys(ADDRESSES),
        "/api/login",
        "/api/runs/{run}/cases/{case}/overlay/{kind}",
        "/api/runs/{run}/control",
        "/api/runs/{run}/events",
      ].sort(),
    );
    for (const [path, methods] of Object.entries<any>(description.paths)) {
      for (const [method, route] of Object.entries<any>(methods)) {
        const name = `${method} ${path}`;
        expect(route.summary, name).toMatch(/^[A-Z].*[.]$/);
        expect(
          Object.keys(route.responses).some((status) => status.startsWith("2")),
          name,
        ).toBe(true);
        expect([...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter).sort(), name).toEqual(
          (route.parameters ?? [])
            .filter(({ in: place }: any) => place === "path")
            .map((parameter: any) => parameter.name)
            .sort(),
        );
        for (const { name: parameter, schema } of route.parameters ?? []) {
          const isBounded = schema.enum || schema.maxLength !== undefined || schema.maximum !== undefined;
          expect(Boolean(isBounded), `${name} ${parameter}`).toBe(true);
        }
      }
    }
  });

  test("is true: what the routes answer is what it says, also of an empty and a diverging run", async () => {
    const { url, description } = await setUp();
    const faultsOf = await validator(description);
    for (const [path, addresses] of Object.entries(ADDRESSES)) {
      for (const address of addresses) {
        const answer = await fetch(url + address);
        expect(answer.status, address).toBe(200);
        const type = answer.headers.get("content-type")!.split(";")[0]!;
        const content = description.paths[path].get.responses["200"].content[type];
        expect(content, `${address} is ${type}`).toBeDefined();
        if (type === "application/json") expect(faultsOf(content.schema, await answer.json()), address).toBe("");
      }
    }
  });

  test("describes errors, too", async () => {
    const { url, description } = await setUp();
    const faultsOf = await validator(description);
    for (const [address, status, path] of [
      ["api/runs/none", 404, "/api/runs/{run}"],
      ["api/runs/first/series?from=a&to=1", 400, "/api/runs/{run}/series"],
      [`api/runs/${"x".repeat(470)}`, 400, "/api/runs/{run}"],
      ["api/runs/empty/curves/loss", 404, "/api/runs/{run}/curves/{curves}"],
    ] as const) {
      const answer = await fetch(url + address);
      expect(answer.status, address).toBe(status);
      expect(faultsOf(description.paths[path].get.responses[status].content["application/json"].schema, await answer.json())).toBe("");
    }
    const asked = await fetch(`${url}api/runs/live/control`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ command: "stop", session: 1 }),
    });
    expect(asked.status).toBe(409);
    expect(faultsOf(description.paths["/api/runs/{run}/control"].post.responses["409"].content["application/json"].schema, await asked.json())).toBe(
      "",
    );
  });

  test("draws curves as a picture of the named run", async () => {
    const { url } = await setUp();
    const picture = Buffer.from(await (await fetch(`${url}api/runs/first/curves/loss`)).arrayBuffer());
    expect(picture.subarray(1, 4).toString()).toBe("PNG");
    expect(picture.length).toBeGreaterThan(5000);
  });
});
