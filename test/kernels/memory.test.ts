import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { native } from "../../src/kernels/native.js";

const kernels = new URL("../../dist/kernels/", import.meta.url);

/** Megabytes by which the peak of a fresh process grows while `work` runs; inputs and outputs are touched before. */
function growth(setup: string, work: string): number {
  const program = `
    import { resampleImage } from "${new URL("resample-image/resample-image.js", kernels)}";
    import { gaussianFilter } from "${new URL("gaussian-filter/gaussian-filter.js", kernels)}";
    import { sampleImage } from "${new URL("sample-image/sample-image.js", kernels)}";
    import { elasticLattice } from "${new URL("elastic-lattice/elastic-lattice.js", kernels)}";
    import { normalize } from "${new URL("normalize/normalize.js", kernels)}";
    const filled = (count) => new Float32Array(count).fill(1.5);
    ${setup}
    const before = process.resourceUsage().maxRSS;
    ${work}
    console.log((process.resourceUsage().maxRSS - before) / 1024);`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return Number(stdout);
}

// A sanitizer keeps freed memory back, so growth would say nothing.
describe.skipIf(!native() || process.env.LD_PRELOAD?.includes("asan"))("memory of the native kernels", () => {
  const volumes = "const shape = [64, 512, 512, 1]; const [input, output] = [filled(64 * 512 * 512), filled(64 * 512 * 512)];";

  it("resampling a volume of 67 MB takes a few MB", () => {
    const setup = `${volumes} const small = filled(59 * 246 * 246);`;
    expect(growth(setup, "resampleImage(input, shape, small, [59, 246, 246, 1], { order: 3 });")).toBeLessThan(12);
  });

  it("filtering and normalizing it, too", () => {
    expect(growth(volumes, "gaussianFilter(input, shape, output, { sigma: [1, 1, 1] });")).toBeLessThan(12);
    expect(growth(volumes, 'normalize(input, output, { mode: "z-score", clip: { min: -79, max: 304 } });')).toBeLessThan(4);
  });

  it("an elastic order 3 sampling of a patch takes its spline coefficients and half as much", () => {
    const setup = "const shape = [80, 160, 160, 1]; const [input, output] = [filled(80 * 160 * 160), filled(80 * 160 * 160)];";
    const displacement = "const displacement = elasticLattice([80, 160, 160], { key: [1, 2, 3, 4], alpha: 300, sigma: 9 });";
    const work = `${displacement} sampleImage(input, shape, output, shape, { center: [39.5, 79.5, 79.5], order: 3, displacement });`;
    // The patch has 8.2 MB, a dense displacement field would have 24.6 MB.
    expect(growth(setup, work)).toBeLessThan(20);
  });
});
