import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { webgpuMissing } from "../../src/engine/webgpu/webgpu-missing.js";

interface Report {
  /** Why the engine is not to be had here. */
  readonly missing?: string;
  /** Furthest of the card's losses and outputs from those of cpu, and tensors that a step left behind. */
  readonly compared: readonly {
    readonly optimizer: string;
    readonly losses: readonly number[];
    readonly loss: number;
    readonly output: number;
    readonly leaked: number;
  }[];
  readonly shared: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly held: number;
  readonly trimmed: number;
  readonly fault: string;
  /** Of 100,000 ones, after the fault. */
  readonly sum: number;
}

async function onTheCard(): Promise<Report> {
  const child = fileURLToPath(new URL("webgpu-child.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [child], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Report;
}

// A machine without a graphics card or its Vulkan driver skips; docs/engine.md says how a driver in software is had.
describe("the webgpu engine", () => {
  it("trains as cpu does, frees what it took, and tells of what the card cannot do", { timeout: 1_800_000 }, async ({ skip }) => {
    const { missing, compared, shared, held, trimmed, fault, sum } = await onTheCard();
    if (missing !== undefined) {
      expect(missing).toMatch(/not installed|no graphics card/);
      skip(missing);
    }
    for (const { optimizer, losses, loss, output, leaked } of compared) {
      expect(losses.at(-1), optimizer).toBeLessThan(losses[0]!);
      expect([loss < 1e-3, output < 1e-2, leaked], `${optimizer}: ${loss}, ${output}`).toEqual([true, true, 0]);
    }
    expect(shared.before).toEqual([1, 2, 3]);
    shared.after.forEach((value, i) => {
      expect(value).toBeCloseTo(i + 0.5, 4);
    });
    expect(trimmed).toBeLessThan(held);
    expect(fault).toMatch(/^ERR_ENGINE: webgpu: the graphics card failed: .*WGSL/);
    expect(sum).toBe(100_000);
  });

  it("names the packages that are not installed", () => {
    expect(webgpuMissing("file:///nowhere/at/all.js")).toBe(
      "webgpu and @tensorflow/tfjs-backend-webgpu are not installed (npm install webgpu @tensorflow/tfjs-backend-webgpu)",
    );
  });
});
