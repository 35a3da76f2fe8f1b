import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { webgpuMissing } from "../../src/engine/webgpu/webgpu-packages.js";

interface Trained {
  readonly losses: readonly number[];
  readonly leaked: number;
  readonly output: readonly number[];
}

interface Report {
  /** Why the engine is not to be had here. */
  readonly missing?: string;
  readonly expected: Readonly<Record<"adam" | "sgd", Trained>>;
  readonly actual: Readonly<Record<"adam" | "sgd", Trained>>;
  readonly shared: { readonly before: readonly number[]; readonly after: readonly number[] };
  readonly held: number;
  readonly trimmed: number;
  readonly fault: string;
}

async function onTheCard(): Promise<Report> {
  const child = fileURLToPath(new URL("webgpu-child.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [child], { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Report;
}

// A machine without a graphics card or its Vulkan driver skips; docs/engine.md says how a driver in software is had.
describe("the webgpu engine", () => {
  it("trains as cpu does, frees what it took, and tells of what the card cannot do", { timeout: 1_800_000 }, async ({ skip }) => {
    const { missing, expected, actual, shared, held, trimmed, fault } = await onTheCard();
    if (missing !== undefined) {
      expect(missing).toMatch(/not installed|no graphics card/);
      skip(missing);
    }
    for (const optimizer of ["adam", "sgd"] as const) {
      actual[optimizer].losses.forEach((loss, step) => {
        expect(Math.abs(loss - expected[optimizer].losses[step]!), `${optimizer}, step ${step + 1}`).toBeLessThan(1e-3);
      });
      expect(actual[optimizer].leaked).toBe(0);
      actual[optimizer].output.forEach((value, i) => {
        expect(Math.abs(value - expected[optimizer].output[i]!)).toBeLessThan(1e-2);
      });
    }
    expect(shared.before).toEqual([1, 2, 3]);
    shared.after.forEach((value, i) => {
      expect(value).toBeCloseTo(i + 0.5, 4);
    });
    expect(trimmed).toBeLessThan(held);
    expect(fault).toMatch(/^ERR_MEMORY: .*the graphics card failed/);
  });

  it("names the packages that are not installed", () => {
    expect(webgpuMissing("file:///nowhere/at/all.js")).toBe(
      "webgpu and @tensorflow/tfjs-backend-webgpu are not installed (npm install webgpu @tensorflow/tfjs-backend-webgpu)",
    );
  });
});
