import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { native } from "../../../src/kernels/native.js";

function engines(args: readonly string[], env: Record<string, string> = {}): string {
  return execFileSync(process.execPath, ["dist/cli/main.js", "engines", ...args], {
    env: { ...process.env, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

describe("voxstream engines", () => {
  it.skipIf(!native())(
    "lists every engine, why it is missing, and the result of the self-check",
    () => {
      const { auto, engines: listed } = JSON.parse(engines(["--json"]));
      expect(auto).toBe("native");
      const byName = Object.fromEntries(listed.map((engine: { name: string }) => [engine.name, engine]));
      expect(byName.native).toMatchObject({ available: true, selfCheck: { passed: true, failures: [] } });
      expect(byName.native.selfCheck.cases).toBeGreaterThan(250);
      expect(byName.tensorflow).toMatchObject({
        available: false,
        note: "@tensorflow/tfjs-node is not installed (npm install @tensorflow/tfjs-node)",
      });
      expect(byName.cpu).toMatchObject({ available: true, selfCheck: null });
    },
    120_000,
  );

  it.skipIf(!native())(
    "--profile shows what a training step runs, and that nothing of a U-Net falls back",
    () => {
      const { profile } = JSON.parse(engines(["--json", "--profile"]));
      const rows = profile as { name: string; native: number; fallback: number; milliseconds: number }[];
      expect(rows.find(({ name }) => name === "FusedConv3DActivation")!.native).toBeGreaterThan(0);
      expect(rows.filter(({ fallback }) => fallback > 0)).toEqual([]);
    },
    120_000,
  );

  it("without the addon says so and takes cpu", () => {
    const text = engines([], { VOXSTREAM_NATIVE: "0" });
    expect(text).toMatch(/native +no +- +VOXSTREAM_NATIVE=0/);
    expect(text).toMatch(/cpu \(auto\) +yes/);
  }, 300_000);
});
