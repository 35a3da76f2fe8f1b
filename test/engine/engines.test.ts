import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { describeFailures, listEngines, selfCheck, startEngine } from "../../src/engine/index.js";
import { rememberedCheck } from "../../src/engine/self-check/remembered-check.js";
import { tensorflowState } from "../../src/engine/tensorflow-package.js";
import { native } from "../../src/kernels/native.js";

describe("engines", () => {
  it("are all listed, with a reason for each that is not available", async () => {
    const engines = await listEngines();
    expect(engines.map(({ name }) => name)).toEqual(["tensorflow-gpu", "native", "webgpu", "tensorflow", "cpu"]);
    for (const { isAvailable, reason } of engines) expect(reason === undefined).toBe(isAvailable);
    expect(engines.at(-1)).toEqual({ name: "cpu", isAvailable: true });
  });

  it("refuse unknown names and bad numbers of threads", async () => {
    await expect(startEngine({ engine: "abacus" as never })).rejects.toThrow(
      'startEngine: engine must be auto, tensorflow-gpu, native, webgpu, tensorflow, cpu, got "abacus"',
    );
    await expect(startEngine({ threads: -1 })).rejects.toThrow("startEngine: threads must be an integer from 0 to 1024, got -1");
    await expect(startEngine({ seed: 0.5 })).rejects.toThrow("startEngine: seed must be an integer, got 0.5");
  });

  it("that are not installed say so when asked for by name", async () => {
    await expect(startEngine({ engine: "tensorflow" })).rejects.toMatchObject({
      code: "ERR_ENGINE",
      message: "startEngine: engine tensorflow cannot be used: @tensorflow/tfjs-node is not installed (npm install @tensorflow/tfjs-node)",
    });
  });

  it("without the addon: native says why, auto takes cpu", () => {
    const script = `
      const { startEngine } = await import(${JSON.stringify(pathToFileURL(join(process.cwd(), "dist/engine/index.js")).href)});
      const error = await startEngine({ engine: "native" }).catch((error) => error);
      console.log(JSON.stringify([error.code, error.message, (await startEngine({})).name]));
    `;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, VOXSTREAM_NATIVE: "0" },
      encoding: "utf8",
    });
    expect(JSON.parse(output)).toEqual(["ERR_ENGINE", "startEngine: engine native cannot be used: VOXSTREAM_NATIVE=0", "cpu"]);
  });
});

describe("an optional TensorFlow package", () => {
  function installed(withBinary: boolean): string {
    const root = mkdtempSync(join(tmpdir(), "vox-tensorflow-"));
    const folder = join(root, "node_modules/@tensorflow/tfjs-node");
    mkdirSync(join(folder, "lib/napi-v8"), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "name": "@tensorflow/tfjs-node", "main": "index.js" }');
    writeFileSync(join(folder, "index.js"), "");
    if (withBinary) writeFileSync(join(folder, "lib/napi-v8/tfjs_binding.node"), "");
    return pathToFileURL(join(root, "main.js")).href;
  }

  it("with its binary on Node 22 can be imported", () => {
    expect(tensorflowState("@tensorflow/tfjs-node", installed(true), "22.11.0").entry).toMatch(/tfjs-node[\\/]index\.js$/);
  });
  it("on Node 23 and newer is refused before it is loaded", () => {
    expect(tensorflowState("@tensorflow/tfjs-node", installed(true), "24.1.0").reason).toBe(
      "@tensorflow/tfjs-node does not run on Node 24.1.0; use Node 22 or older",
    );
  });
  it("without its binary is refused with the command that builds it", () => {
    expect(tensorflowState("@tensorflow/tfjs-node", installed(false), "20.20.0").reason).toBe(
      "@tensorflow/tfjs-node is installed without its binary (npm rebuild @tensorflow/tfjs-node --build-addon-from-source)",
    );
  });
});

describe.skipIf(!native())("the self-check", () => {
  it("is done once in a process also where its result cannot be kept", async () => {
    await startEngine({ engine: "native" });
    const file = join(mkdtempSync(join(tmpdir(), "vox-check-")), "file");
    writeFileSync(file, "");
    vi.stubEnv("VOXSTREAM_CACHE", join(file, "no-folder"));
    onTestFinished(() => void vi.unstubAllEnvs());
    const first = await rememberedCheck("native", "of a test");
    expect(first.failures).toEqual([]);
    expect(await rememberedCheck("native", "of a test")).toBe(first);
  });

  it("finds a wrong operation and names it", async () => {
    await startEngine({ engine: "native" });
    const kernel = tf.getKernel("Conv3DBackpropFilterV2", "native")!;
    tf.unregisterKernel("Conv3DBackpropFilterV2", "native");
    tf.registerKernel({
      ...kernel,
      kernelFunc: (params) => {
        const result = kernel.kernelFunc(params) as tf.TensorInfo;
        const { values } = (params.backend as { data: tf.DataStorage<{ values: Float32Array }> }).data.get(result.dataId);
        values[0]! += 1;
        return result;
      },
    });
    try {
      const { failures } = await selfCheck("native");
      expect(new Set(failures.map(({ op }) => op))).toEqual(new Set(["conv3d", "conv3dTranspose", "fusedConv3d", "fusedConv3dTranspose"]));
      expect(describeFailures(failures)).toMatch(
        /^conv3d \(5,6,7 kernel 3,3,3 .*: gradient 1 off by .*\) and conv3dTranspose, fusedConv3d, fusedConv3dTranspose$/,
      );
    } finally {
      tf.unregisterKernel("Conv3DBackpropFilterV2", "native");
      tf.registerKernel(kernel);
    }
  });
});
