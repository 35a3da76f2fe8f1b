import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { machineUse } from "../../src/core/machine-use.js";
import { readGpus } from "../../src/core/read-gpus.js";

const before = process.env.PATH;
afterEach(() => {
  process.env.PATH = before;
});

/** Puts a program of this name in front of all others. */
function pretend(name: string, script: string): void {
  const folder = mkdtempSync(join(tmpdir(), "voxstream-gpus-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  process.env.PATH = `${folder}:${before}`;
}

describe.skipIf(process.platform === "win32")("readGpus", () => {
  it("reads every card; what a card does not tell is absent", async () => {
    pretend("nvidia-smi", `printf 'NVIDIA H100 80GB HBM3, 37, 5120, 81559, 41, 312.50\\nOdd, Inc. Card, [N/A], 10, [Not Supported], , [N/A]\\n'`);
    expect(await readGpus()).toEqual([
      { name: "NVIDIA H100 80GB HBM3", load: 0.37, memoryBytes: 5120 * 2 ** 20, memoryTotalBytes: 81559 * 2 ** 20, celsius: 41, watts: 312.5 },
      { name: "Odd, Inc. Card", memoryBytes: 10 * 2 ** 20 },
    ]);
  });

  it("is undefined where nvidia-smi is missing or fails", async () => {
    pretend("nvidia-smi", "echo 'NVIDIA-SMI has failed' >&2; exit 9");
    expect(await readGpus()).toBeUndefined();
    process.env.PATH = "/nowhere";
    expect(await readGpus()).toBeUndefined();
  });
});

describe("machineUse", () => {
  it("tells the cores that this process kept busy since the last call", async () => {
    const meter = machineUse();
    const end = performance.now() + 250;
    while (performance.now() < end) Math.sqrt(performance.now());
    const busy = meter();
    await new Promise((resolve) => setTimeout(resolve, 250));
    const idle = meter();
    expect(busy.cores).toBeGreaterThan(idle.cores);
    expect(busy.rssBytes).toBeGreaterThan(20e6);
    expect(busy.machineLoad).toBeGreaterThanOrEqual(0);
    expect(busy.machineLoad).toBeLessThanOrEqual(1);
    expect(busy.machineBytes).toBeLessThan(busy.machineTotalBytes);
    if (process.platform === "linux") expect(busy.threads).toBeGreaterThan(1);
  });
});
