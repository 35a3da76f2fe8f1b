import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

/**
 * An installation of this package beside a stand-in for `@tensorflow/tfjs-node`: a module that registers a backend `tensorflow`, as the real one does on being
 * imported, with the stock kernels. `fault` is code that may spoil one.
 */
function installationWith(fault: string): string {
  const root = mkdtempSync(join(tmpdir(), "vox-tensorflow-engine-"));
  cpSync(join(process.cwd(), "dist"), join(root, "dist"), { recursive: true });
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "voxstream", version: "0.0.0", type: "module" }));
  const modules = realpathSync(join(process.cwd(), "node_modules"));
  mkdirSync(join(root, "node_modules/@tensorflow"), { recursive: true });
  for (const name of readdirSync(modules))
    if (!name.startsWith(".") && name !== "@tensorflow") symlinkSync(join(modules, name), join(root, "node_modules", name));
  for (const name of ["tfjs-core", "tfjs-layers", "tfjs-backend-cpu"]) {
    symlinkSync(join(modules, "@tensorflow", name), join(root, "node_modules/@tensorflow", name));
  }
  const folder = join(root, "node_modules/@tensorflow/tfjs-node");
  mkdirSync(join(folder, "lib/napi-v8"), { recursive: true });
  writeFileSync(join(folder, "lib/napi-v8/tfjs_binding.node"), "");
  writeFileSync(join(folder, "package.json"), '{ "name": "@tensorflow/tfjs-node", "main": "index.js" }');
  writeFileSync(
    join(folder, "index.js"),
    `const tf = require("@tensorflow/tfjs-core");
    const { MathBackendCPU } = require("@tensorflow/tfjs-backend-cpu");
    tf.registerBackend("tensorflow", () => new MathBackendCPU(), 3);
    for (const kernel of tf.getKernelsForBackend("cpu")) {
      let { kernelFunc } = kernel;
      const stock = kernelFunc;
      ${fault}
      tf.registerKernel({ ...kernel, kernelFunc, backendName: "tensorflow" });
    }`,
  );
  return root;
}

function run(root: string, code: string): unknown {
  const engine = pathToFileURL(join(root, "dist/engine/index.js")).href;
  const script = `
    const { startEngine, listEngines } = await import(${JSON.stringify(engine)});
    const tf = await import(${JSON.stringify(pathToFileURL(join(root, "node_modules/@tensorflow/tfjs-core/dist/tf-core.node.js")).href)});
    ${code}
  `;
  const env = { ...process.env, VOXSTREAM_CACHE: join(root, "cache"), VOXSTREAM_NATIVE: "0" };
  return JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: root, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
  );
}

// The package is refused on newer Node before it is loaded; test/engine/engines.test.ts asserts the message.
describe.skipIf(Number.parseInt(process.versions.node, 10) >= 23)("the tensorflow engine", () => {
  it("is loaded, passes its self-check and is preferred over cpu; transposed convolutions have a gradient on it", () => {
    const result = run(
      installationWith(""),
      `const engine = await startEngine({ engine: "auto" });
      const w = tf.ones([2, 2, 2, 1, 1]);
      const gradient = tf.grad((x) => tf.sum(tf.conv3dTranspose(x, w, [1, 4, 4, 4, 1], 2, "same")))(tf.ones([1, 2, 2, 2, 1]));
      const { selfCheck } = (await listEngines()).find(({ name }) => name === "tensorflow");
      console.log(JSON.stringify([engine.name, tf.getBackend(), [...gradient.dataSync()], selfCheck.cases > 250, selfCheck.failures]));`,
    );
    expect(result).toEqual(["tensorflow", "tensorflow", [8, 8, 8, 8, 8, 8, 8, 8], true, []]);
  }, 120_000);

  it("refuses to start with the name of an operation that it computes wrongly, and auto passes it over", () => {
    const fault = `if (kernel.kernelName === "MaxPool3D") kernelFunc = (args) => {
      const y = stock(args);
      args.backend.data.get(y.dataId).values[0] += 1;
      return y;
    };`;
    const result = run(
      installationWith(fault),
      `const error = await startEngine({ engine: "tensorflow" }).catch((error) => error);
      console.log(JSON.stringify([error.code, error.message, (await startEngine({})).name]));`,
    ) as [string, string, string];
    expect(result[0]).toBe("ERR_ENGINE");
    expect(result[1]).toMatch(/^startEngine: engine tensorflow cannot be used: it fails its self-check on maxPool3d \(/);
    expect(result[2]).toBe("cpu");
  }, 120_000);
});
