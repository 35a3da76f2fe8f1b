import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Defect, defects } from "./defects.js";

const here = dirname(fileURLToPath(import.meta.url));
const artifacts = join(here, "../artifacts");
let folder = "";
beforeAll(() => {
  mkdirSync(artifacts, { recursive: true });
  // Inside the repository, so that the bundle finds its packages.
  folder = mkdtempSync(join(artifacts, "defects-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bundles the scenarios with a copy of the streams into which the defect was patched. */
async function bundle(patches: Defect["patches"], name: string): Promise<string> {
  const applied = new Set<(typeof patches)[number]>();
  const plant: Plugin = {
    name: "plant",
    setup(setup) {
      setup.onLoad({ filter: /src\/streams\/(stages\/)?[a-z-]+\.ts$/ }, ({ path }) => {
        let contents = readFileSync(path, "utf8");
        for (const patch of patches) {
          if (patch.file !== basename(path)) continue;
          if (contents.split(patch.find).length !== 2) throw new Error(`'${patch.find}' must stand exactly once in ${patch.file}`);
          contents = contents.replace(patch.find, () => patch.replace);
          applied.add(patch);
        }
        return { contents, loader: "ts" };
      });
    },
  };
  const { outputFiles } = await build({
    entryPoints: [join(here, "defect-worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    plugins: [plant],
    logLevel: "silent",
  });
  expect(applied.size, "every patch was applied").toBe(patches.length);
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, outputFiles[0]!.text);
  return file;
}

/** The scenarios that fail; a thread that must be ended or dies fails as a whole. */
function judge(file: string, scenarios: readonly string[], timeout: number): Promise<Record<string, string>> {
  return new Promise((resolve) => {
    const worker = new Worker(file, {
      workerData: { scenarios, timeout },
      resourceLimits: { maxOldGenerationSizeMb: 256 },
      stdout: true,
      stderr: true,
    });
    const timer = setTimeout(() => settle({ thread: "hangs" }), 2 * timeout * scenarios.length);
    const settle = (failures: Record<string, string>): void => {
      clearTimeout(timer);
      void worker.terminate();
      resolve(failures);
    };
    worker.once("message", settle);
    worker.once("error", (error) => settle({ thread: error.message }));
    worker.once("exit", (code) => settle({ thread: `ended with ${code}` }));
  });
}

test("the scenarios pass without a defect, bundled in the same way", async () => {
  const file = await bundle([], "control");
  expect(await judge(file, [...new Set(defects.flatMap(({ caughtBy }) => caughtBy))], 5000)).toEqual({});
});

describe("a planted defect is caught", { concurrent: true }, () => {
  test.each(defects.map((defect, index) => [defect.name, defect, index] as const))("%s", async (_, { patches, caughtBy }, index) => {
    const file = await bundle(patches, `defect-${index}`);
    expect(Object.keys(await judge(file, caughtBy, 2500))).not.toEqual([]);
  });
});
