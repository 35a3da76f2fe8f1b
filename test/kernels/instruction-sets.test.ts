import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { native } from "../../src/kernels/native.js";
import { largestDifference } from "./random-arrays.js";

const dist = new URL("../../dist/", import.meta.url);

/** Every kernel on the same input, in a process of its own: the addon chooses its instruction set once. */
const PROGRAM = `
  import * as k from "${new URL("kernels/index.js", dist)}";
  import { native } from "${new URL("kernels/native.js", dist)}";
  import { Random } from "${new URL("core/random.js", dist)}";
  const random = new Random("instruction sets");
  const floats = (count) => Float32Array.from({ length: count }, () => random.uniform(-3, 5));
  const results = {};
  const keep = (name, array) => { results[name] = Array.from(array); };
  const key = [1, 2, 3, 4];
  const [shape, small] = [[7, 9, 83, 1], [5, 11, 47, 1]];
  const voxels = 7 * 9 * 83;
  const image = floats(voxels);
  const labels = Uint8Array.from({ length: voxels }, (_, i) => Math.floor(i / 5) % 4);
  const made = (count = voxels) => new Float32Array(count);
  const run = (name, count, work) => { const output = made(count); work(output); keep(name, output); };
  run("clip", voxels, (o) => k.clip(image, o, { min: -1, max: 2 }));
  for (const channels of [1, 3]) {
    run("normalize" + channels, voxels, (o) => k.normalize(image, o, { mode: "z-score", channels }));
    run("contrast" + channels, voxels, (o) => k.contrast(image, o, { channels, factor: 1.7 }));
    run("gamma" + channels, voxels, (o) => k.gamma(image, o, { channels, gamma: 1.3 }));
    run("noise" + channels, voxels, (o) => k.noise(image, o, { channels, sigma: 0.5, key }));
  }
  run("percentiles", 3, (o) => o.set(k.percentiles(image, [1, 50, 99])));
  run("mirror", voxels, (o) => k.mirror(image, shape, o, [true, false, true]));
  run("reorient", voxels, (o) => k.reorient(image, shape, o, [2, 0, 1], [true, false, true]));
  run("percentile", voxels, (o) => k.normalize(image, o, { mode: "percentile", percentiles: [2, 90] }));
  run("pad", 9 * 11 * 90, (o) => k.padVolume(image, shape, o, [9, 11, 90, 1], [1, 1, 3], { mode: "minimum" }));
  for (const order of [0, 1, 3]) {
    run("resample" + order, 5 * 11 * 47, (o) => k.resampleImage(image, shape, o, small, { order }));
    const displacement = k.elasticLattice([5, 11, 47], { key, alpha: 40, sigma: 6 });
    const options = { center: [3, 4, 41], matrix: k.rotationMatrix([0.2, 0.1, -0.1], 0.9), displacement, order, fill: -7 };
    run("sample" + order, 5 * 11 * 47, (o) => k.sampleImage(image, shape, o, small, options));
  }
  run("gaussian", voxels, (o) => k.gaussianFilter(image, shape, o, { sigma: [1, 0.5, 2] }));
  run("elastic", 3 * voxels, (o) => k.elasticField(o, [7, 9, 83], { key, alpha: 40, sigma: 7 }));
  const resampled = new Uint8Array(5 * 11 * 47);
  k.resampleLabel(labels, shape, resampled, small, { order: 1 });
  keep("resampleLabel", resampled);
  run("oneHot", 4 * voxels, (o) => k.oneHot(labels, o, 4));
  const best = new Uint8Array(voxels / 3);
  k.argMaxChannels(image, best, 3);
  keep("argMax", best);
  const [sum, weightSum] = [made(), made(voxels / 3)];
  k.windowAccumulate(sum, weightSum, [7, 3, 83, 3], image, [7, 3, 83, 3], [0, 0, 0], floats(voxels / 3).map(Math.abs));
  k.windowFinish(sum, weightSum, sum, 3);
  keep("window", sum);
  console.log(JSON.stringify({ isa: native()?.isa ?? "none", results }));`;

interface Outcome {
  readonly isa: string;
  readonly results: Readonly<Record<string, readonly number[]>>;
}

function outcome(env: Readonly<Record<string, string>>): Outcome {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", PROGRAM], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Outcome;
}

describe.skipIf(!native())("instruction sets", () => {
  const reference = outcome({ VOXSTREAM_NATIVE: "0" });

  it.each(["base", "avx2", "avx512"])("%s gives what the references give", (isa) => {
    const { isa: chosen, results } = outcome({ VOXSTREAM_ISA: isa });
    // A processor without the wider set takes what it has.
    expect(["base", "avx2", "avx512"].indexOf(chosen)).toBeLessThanOrEqual(["base", "avx2", "avx512"].indexOf(isa));
    expect(reference.isa).toBe("none");
    expect(Object.keys(results)).toEqual(Object.keys(reference.results));
    for (const [name, values] of Object.entries(results)) expect(largestDifference(values, reference.results[name]!), name).toBeLessThan(5e-4);
  });
});
