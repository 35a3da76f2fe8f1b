import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { placeOnGrid, writeVolume } from "../../src/io/index.js";
import { native } from "../../src/kernels/native.js";

const kernels = new URL("../../dist/kernels/", import.meta.url);

/** Megabytes by which the peak of a fresh process grows while `work` runs; inputs and outputs are touched before. */
function growth(setup: string, work: string): number {
  const program = `
    import { resampleImage } from "${new URL("resample-image/resample-image.js", kernels)}";
    import { gaussianFilter } from "${new URL("gaussian-filter/gaussian-filter.js", kernels)}";
    import { sampleImage } from "${new URL("sample-image/sample-image.js", kernels)}";
    import { elasticLattice } from "${new URL("elastic-lattice/elastic-lattice.js", kernels)}";
    import * as k from "${new URL("index.js", kernels)}";
    import { normalize } from "${new URL("normalize/normalize.js", kernels)}";
    import { sampleLabel } from "${new URL("sample-label/sample-label.js", kernels)}";
    import { mirror } from "${new URL("mirror/mirror.js", kernels)}";
    import { changeIntensity } from "${new URL("../workers/steps/change-intensity.js", kernels)}";
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

it("every kernel says in its docs what memory it takes beside its input and output", () => {
  const folder = new URL("../../src/kernels/", import.meta.url);
  const index = readFileSync(new URL("index.ts", folder), "utf8");
  const kernels = [...index.matchAll(/^export \{(?: type \w+,)* (\w+)(?:, type \w+)* \} from "\.\/(.+)\.js";/gm)].map(([, name, file]) => ({
    name,
    file,
  }));
  expect(kernels.length).toBeGreaterThan(30);
  // Of nine numbers.
  const silent = kernels
    .filter(({ name }) => name !== "rotationMatrix")
    .filter(({ name, file }) => {
      const text = readFileSync(new URL(`${file}.ts`, folder), "utf8");
      const doc = text
        .slice(0, text.search(new RegExp(`^export function ${name}\\b`, "m")))
        .split("/**")
        .at(-1)!;
      return !/\bmemory\b/i.test(doc);
    });
  expect(silent).toEqual([]);
});

// A sanitizer keeps freed memory back, so growth would say nothing.
describe.skipIf(!native() || process.env.LD_PRELOAD?.includes("asan"))("memory of the native kernels", () => {
  const volumes = "const shape = [64, 512, 512, 1]; const [input, output] = [filled(64 * 512 * 512), filled(64 * 512 * 512)];";

  it("resampling a volume of 67 MB takes a few MB", () => {
    const setup = `${volumes} const small = filled(59 * 246 * 246);`;
    expect(growth(setup, "resampleImage(input, shape, small, [59, 246, 246, 1], { order: 3 });")).toBeLessThan(12);
  });

  it("reading a compressed file of 33 MB takes a few pieces of it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "voxstream-read-"));
    try {
      const path = join(folder, "image.nii.gz");
      const stored = Int16Array.from({ length: 64 * 512 * 512 }, (_, i) => (i * 7 + (i >> 9) * 13) % 200);
      const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] as const;
      const { source } = placeOnGrid({ format: "nifti", path, shape: [512, 512, 64], dimensions: 3, affine, header: null });
      await writeVolume(path, stored, [64, 512, 512, 1], source, { kind: "int16" });
      const setup = `
        import { readHeader, readVolume } from "${new URL("../io/index.js", kernels)}";
        const target = filled(64 * 512 * 512);
        const header = await readHeader(${JSON.stringify(path)});`;
      expect(growth(setup, "readVolume(header, target);")).toBeLessThan(12);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("filtering and normalizing it, too", () => {
    expect(growth(volumes, "gaussianFilter(input, shape, output, { sigma: [1, 1, 1] });")).toBeLessThan(12);
    expect(growth(volumes, 'normalize(input, output, { mode: "z-score", clip: { min: -79, max: 304 } });')).toBeLessThan(4);
  });

  it("percentiles of four channels, and of foreground, take one copy of a channel", () => {
    const setup = "const four = filled(4 * 16 * 512 * 512); const labels = new Uint8Array(16 * 512 * 512).fill(1, 5e5, 3e6);";
    const work = `
      k.normalize(four, four, { mode: "percentile", channels: 4 });
      k.normalize(four, four, { mode: "percentile", channels: 4, labels });
      k.normalize(four, four, { mode: "percentile", channels: 4, labels: labels.fill(0) });`;
    // A channel has 16.8 MB; what the collector has not freed yet of the run before may still be there.
    expect(growth(setup, work)).toBeLessThan(3 * 16.8 + 4);
  });

  it("turning, padding, boxes, statistics, percentiles and label kernels on volumes of 16.8 million voxels take next to nothing", () => {
    const labels = "const labels = new Uint8Array(64 * 512 * 512).fill(1, 5e6, 9e6); const changed = new Uint8Array(labels.length).fill(7);";
    const small = "const [box, boxed] = [[60, 500, 500, 1], filled(60 * 500 * 500)];";
    const work = `
      k.reorient(input, shape, output, [2, 1, 0], [true, false, true]);
      k.copyBox(input, shape, boxed, box, [2, 3, 4]);
      k.padVolume(boxed, box, output, shape, [2, 6, 6], { mode: "minimum" });
      k.clip(input, output, { min: 0, max: 1 });
      k.affineIntensity(input, output, { shift: 3, scale: 2 });
      k.statistics(input, { labels });
      k.percentiles(input, [0.5, 99.5]);
      k.normalize(input, output, { mode: "percentile" });
      k.mapLabels(labels, changed, Uint16Array.from({ length: 256 }, (_, i) => 255 - i));
      k.labelCounts(labels);
      k.foregroundBox(input, shape, [1]);
      k.extractSurface(labels, [64, 512, 512], changed);`;
    expect(growth(`${volumes} ${labels} ${small}`, work)).toBeLessThan(8);
  });

  it("resampled labels take a few rows; components 8 bytes per run; distances a few lines", () => {
    const labels = "const shape3 = [64, 512, 512]; const labels = Uint8Array.from({ length: 64 * 512 * 512 }, (_, i) => (i >> 6) % 3);";
    const small = "const small = new Uint8Array(59 * 246 * 246).fill(3);";
    expect(growth(`${labels} ${small}`, "k.resampleLabel(labels, [64, 512, 512, 1], small, [59, 246, 246, 1], { order: 1 });")).toBeLessThan(6);
    const components = "const found = new Int32Array(labels.length).fill(5);";
    // Five or six runs in each of 32768 rows.
    expect(growth(`${labels} ${components}`, "k.connectedComponents(labels, shape3, found);")).toBeLessThan(12);
    const distances = "const distance = filled(labels.length);";
    expect(growth(`${labels} ${distances}`, "k.distanceTransform(labels, shape3, distance, [3, 0.8, 0.8]);")).toBeLessThan(6);
  });

  it("one-hot and merged windows take nothing beside their outputs", () => {
    const setup = `
      const shape = [64, 256, 256, 3]; const voxels = 64 * 256 * 256;
      const [sum, weightSum, patch] = [filled(3 * voxels), filled(voxels), filled(3 * 64 * 160 * 160)];
      const labels = new Uint8Array(voxels).fill(2); const hot = new Uint8Array(3 * voxels).fill(1);`;
    const work = `
      k.oneHot(labels, hot, 3);
      k.windowAccumulate(sum, weightSum, shape, patch, [64, 160, 160, 3], [0, 20, 20]);
      k.windowFinish(sum, weightSum, sum, 3);
      k.argMaxChannels(sum, labels, 3);`;
    expect(growth(setup, work)).toBeLessThan(4);
  });

  it("an elastic order 3 sampling of a patch takes its spline coefficients and half as much", () => {
    const setup = "const shape = [80, 160, 160, 1]; const [input, output] = [filled(80 * 160 * 160), filled(80 * 160 * 160)];";
    const displacement = "const displacement = elasticLattice([80, 160, 160], { key: [1, 2, 3, 4], alpha: 300, sigma: 9 });";
    const work = `${displacement} sampleImage(input, shape, output, shape, { center: [39.5, 79.5, 79.5], order: 3, displacement });`;
    // The patch has 8.2 MB, a dense displacement field would have 24.6 MB.
    expect(growth(setup, work)).toBeLessThan(20);
  });

  const patch = "const shape = [80, 160, 160, 1]; const [input, output] = [filled(80 * 160 * 160), filled(80 * 160 * 160)];";
  const change = (list: string) => growth(patch, `changeIntensity(input, shape, [${list}], () => false);`);

  it("sampling the labels, linear sampling, mirror and the intensity techniques take nothing", () => {
    const labels = "const [from, to] = [new Uint8Array(80 * 160 * 160).fill(1), new Uint8Array(80 * 160 * 160).fill(2)];";
    const matrix = "const move = { center: [39.5, 79.5, 79.5], matrix: [1, 0.1, 0, -0.1, 1, 0, 0, 0, 1] };";
    expect(growth(`${labels} ${matrix}`, "sampleLabel(from, [80, 160, 160, 1], to, [80, 160, 160, 1], { ...move, order: 1 });")).toBeLessThan(3);
    expect(growth(`${patch} ${matrix}`, "sampleImage(input, shape, output, shape, { ...move, order: 1 });")).toBeLessThan(3);
    expect(growth(patch, "mirror(input, shape, output, [true, true, true]);")).toBeLessThan(3);
    const techniques = [
      '{ technique: "contrast", factor: [2], preserveRange: true }',
      '{ technique: "brightness", factor: [2] }',
      '{ technique: "gamma", gamma: [1.2], retainStatistics: true }',
      '{ technique: "noise", sigma: [1], key: [1, 2, 3, 4] }',
    ];
    expect(change(techniques.join(", "))).toBeLessThan(3);
  });

  it("blur and low resolution take a copy of the patch, however often they come", () => {
    const blur = '{ technique: "blur", sigma: [[1, 1, 1]] }';
    const coarse = '{ technique: "lowResolution", zoom: [[0.5, 0.5, 0.5]], upOrder: 3 }';
    // The copy has 8.2 MB; the filters work in bands of some MB.
    expect(change(blur)).toBeLessThan(8.2 + 8);
    expect(change([blur, coarse, blur, coarse, blur].join(", "))).toBeLessThan(8.2 + 12);
  });
});
