import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { RunEvent } from "../../../src/core/run-events.js";
import { RunFolder } from "../../../src/training/run/run-folder.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-run-"));
const path = join(root, "run");
afterEach(() => rmSync(root, { recursive: true, force: true }));

const types = (): string[] =>
  readFileSync(join(path, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as RunEvent).type);

it("ends with the end of the run: what threads report while they close is not written", () => {
  const told: string[] = [];
  const folder = RunFolder.open(path, { onEvent: ({ type }) => told.push(type) });
  folder.event({ type: "warning", message: "first" });
  folder.event({ type: "end", status: "failed", message: "a file is missing" });
  folder.event({ type: "warning", message: "from a thread that closes" });
  folder.close();
  folder.event({ type: "warning", message: "later still" });
  expect(types()).toEqual(["warning", "end"]);
  expect(told).toEqual(["warning", "end"]);
  // A resumed run goes on in the same file.
  const again = RunFolder.open(path, { mark: { eventsBytes: Number.POSITIVE_INFINITY, historyBytes: Number.POSITIVE_INFINITY } });
  again.event({ type: "warning", message: "resumed" });
  again.close();
  expect(types()).toEqual(["warning", "end", "warning"]);
});

it("is made once: of two trainings that begin at the same time with one name, the later one is told so", () => {
  RunFolder.open(path, { isNew: true }).close();
  const events = readFileSync(join(path, "events.jsonl"), "utf8");
  expect(() => RunFolder.open(path, { isNew: true })).toThrow("the run folder cannot be written: another training has just begun it");
  expect(readFileSync(join(path, "events.jsonl"), "utf8")).toBe(events);
  RunFolder.open(path).close();
});
