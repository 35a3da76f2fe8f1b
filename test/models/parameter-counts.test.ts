import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import {
  attentionResidualUnet,
  attentionUnet,
  compactUnet,
  denseUnet,
  highResolutionDenseUnet,
  type ModelSpec,
  multiPathUnet,
  multiResUnet,
  residualEncoderUnet,
  residualUnet,
  unet,
} from "../../src/models/index.js";

// Each network is written down here a second time, as sums of layer sizes. These formulas give the counts that the reference prints, and those that it does
// not print (residual, attention, multiRes); the networks, at their full width, are held against the formulas.

const CLASSES = 3;
const CHANNELS = 1;

type Sizes = ReturnType<typeof sizes>;
const sizes = (dimensions: 2 | 3) => ({
  conv: (inputs: number, outputs: number, kernel: number, bias = true) => kernel ** dimensions * inputs * outputs + (bias ? outputs : 0),
  up: (inputs: number, outputs: number, factor = 2) => factor ** dimensions * inputs * outputs + outputs,
  /** Factor, shift, moving mean and variance. */
  batch: (n: number) => 4 * n,
  batchWithoutFactor: (n: number) => 3 * n,
  instance: (n: number) => 2 * n,
});

/** Two convolutions with batch normalization. */
const two = ({ conv, batch }: Sizes, inputs: number, n: number): number => conv(inputs, n, 3) + batch(n) + conv(n, n, 3) + batch(n);

interface Block {
  readonly size: (inputs: number, n: number) => number;
  readonly channels: (inputs: number, n: number) => number;
}

function fourLevels(
  s: Sizes,
  filters: number,
  block: Block,
  encoder = block,
  gate: (coarse: number, skip: number, n: number) => number = () => 0,
): number {
  let total = 0;
  let channels = CHANNELS;
  const skips: number[] = [];
  for (const n of [1, 2, 4, 8].map((k) => k * filters)) {
    total += encoder.size(channels, n);
    channels = encoder.channels(channels, n);
    skips.push(channels);
  }
  total += block.size(channels, 16 * filters);
  channels = block.channels(channels, 16 * filters);
  for (const n of [8, 4, 2, 1].map((k) => k * filters)) {
    const skip = skips.pop()!;
    total += gate(channels, skip, n) + s.up(channels, n) + block.size(n + skip, n);
    channels = block.channels(n + skip, n);
  }
  return total + s.conv(channels, CLASSES, 1);
}

function standard(s: Sizes, filters: number): number {
  return fourLevels(s, filters, { size: (i, n) => two(s, i, n), channels: (_, n) => n });
}
function residual(s: Sizes, filters: number): number {
  return fourLevels(s, filters, { size: (i, n) => two(s, i, n) + s.conv(i, n, 1), channels: (_, n) => n });
}
function compact(s: Sizes, filters: number): number {
  return fourLevels(s, filters, { size: (i, n) => two(s, i, n), channels: (i, n) => i + n });
}
function dense(s: Sizes, filters: number): number {
  const size = (i: number, n: number): number => s.conv(i, n, 3) + s.batch(n) + s.conv(i + n, n, 3) + s.batch(n);
  return fourLevels(s, filters, { size, channels: (i, n) => i + n });
}
/** As published: without normalization, and with the second convolution alone on the skips. */
function highResolutionDense(s: Sizes, filters: number, classes = CLASSES): number {
  const block = (i: number, n: number): number => s.conv(i, n, 3) + s.conv(i + n, n, 3);
  let total = 0;
  let channels = CHANNELS;
  for (const n of [1, 2, 4, 8, 16].map((k) => k * filters)) {
    total += block(channels, n);
    channels += n;
  }
  for (const n of [8, 4, 2, 1].map((k) => k * filters)) {
    total += s.up(channels, n) + block(2 * n, n);
    channels = 3 * n;
  }
  return total + s.conv(channels, classes, 1);
}
const gate =
  (s: Sizes) =>
  (coarse: number, skip: number, n: number): number =>
    s.conv(coarse, n, 1) + s.batch(n) + s.conv(skip, n, 3) + s.conv(n, n, 1) + s.conv(n, 1, 1) + s.conv(skip, skip, 1) + s.batch(skip);
function attention(s: Sizes, filters: number): number {
  const block: Block = { size: (i, n) => two(s, i, n), channels: (_, n) => n };
  return fourLevels(s, filters, block, block, gate(s));
}
function attentionResidual(s: Sizes, filters: number, shortcutFrom: "input" | "second convolution" = "input"): number {
  const block: Block = { size: (i, n) => two(s, i, n), channels: (_, n) => n };
  const shortcut = (i: number, n: number): number => s.conv(shortcutFrom === "input" ? i : n, n, 1) + s.batch(n);
  return fourLevels(s, filters, block, { size: (i, n) => two(s, i, n) + shortcut(i, n), channels: (_, n) => n }, gate(s));
}
function multiRes(s: Sizes, filters: number): number {
  const unit = (i: number, n: number, kernel: number): number => s.conv(i, n, kernel, false) + s.batchWithoutFactor(n);
  const parts = (u: number): number[] => [0.167, 0.333, 0.5].map((share) => Math.max(1, Math.floor(share * 1.67 * u)));
  const width = (u: number): number => parts(u).reduce((a, b) => a + b);
  const block = (i: number, u: number): number => {
    const [a, b, c] = parts(u) as [number, number, number];
    // Normalization of the concatenation and of the sum.
    return unit(i, a, 3) + unit(a, b, 3) + unit(b, c, 3) + unit(i, a + b + c, 1) + 2 * s.batch(a + b + c);
  };
  const path = (i: number, n: number, length: number): number => {
    let total = 0;
    for (let k = 0, from = i; k < length; k++, from = n) total += unit(from, n, 1) + unit(from, n, 3) + s.batch(n);
    return total;
  };
  let total = 0;
  let channels = CHANNELS;
  for (const [level, u] of [1, 2, 4, 8].map((k) => k * filters).entries()) {
    total += block(channels, u) + path(width(u), u, 4 - level);
    channels = width(u);
  }
  total += block(channels, 16 * filters);
  channels = width(16 * filters);
  for (const u of [8, 4, 2, 1].map((k) => k * filters)) {
    total += s.up(channels, u) + block(2 * u, u);
    channels = width(u);
  }
  return total + unit(channels, CLASSES, 1);
}

type Paths = { readonly factor: number; readonly filters: readonly number[] }[];
const PATHS: Paths = [
  { factor: 4, filters: [40, 240] },
  { factor: 2, filters: [40, 80, 160, 220] },
];
function multiPath(s: Sizes, paths: Paths): number {
  const block = (i: number, n: number): number => s.conv(i, n, 3) + s.conv(n, n, 3) + 2 * s.instance(n);
  const joined = paths.reduce((sum, { filters }) => sum + filters.at(-1)!, 0);
  // Layer normalization has a factor and a shift.
  let total = 2 * joined;
  for (const { factor, filters } of paths) {
    let channels = CHANNELS;
    for (const n of filters) {
      total += block(channels, n);
      channels = n;
    }
    total += block(channels, channels);
    channels = joined;
    for (const n of [...filters].reverse()) {
      total += s.up(channels, n, factor) + block(2 * n, n);
      channels = n;
    }
  }
  const decoded = paths.reduce((sum, { filters }) => sum + filters[0]!, 0);
  return total + s.conv(decoded, CLASSES, 1);
}
function residualEncoder(s: Sizes, filters: readonly number[], blocks: readonly number[], isDeep: boolean): number {
  const unit = (i: number, n: number): number => s.conv(i, n, 3) + s.instance(n);
  let total = unit(CHANNELS, filters[0]!);
  let channels = filters[0]!;
  filters.forEach((n, stage) => {
    for (let k = 0; k < blocks[stage]!; k++) {
      total += 2 * s.instance(n) + s.conv(channels, n, 3) + s.conv(n, n, 3);
      if (channels !== n) total += s.conv(channels, n, 1, false) + s.instance(n);
      channels = n;
    }
  });
  for (const [up, n] of filters.slice(0, -1).reverse().entries()) {
    total += s.up(channels, n) + unit(2 * n, n);
    channels = n;
    if (isDeep || up === filters.length - 2) total += s.conv(n, CLASSES, 1);
  }
  return total;
}

const FLAT = sizes(2);
const FULL = sizes(3);
const SHAPE = { 2: [1, 32, 32, CHANNELS], 3: [16, 16, 16, CHANNELS] } as const;

beforeAll(async () => {
  await startEngine({ threads: 1 });
});

function count(spec: ModelSpec, dimensions: 2 | 3): number {
  const model = spec.build({ shape: SHAPE[dimensions], classes: CLASSES });
  const parameters = model.countParams();
  model.dispose();
  return parameters;
}

describe("the formulas give the reference's counts", () => {
  it.each([
    ["standard", standard, 7_771_363, 22_587_171],
    ["compact", compact, 10_700_742, 30_394_054],
    ["dense", dense, 15_782_790, 45_640_198],
  ] as const)("%s", (_, formula, flat, full) => {
    expect([formula(FLAT, 32), formula(FULL, 32)]).toEqual([flat, full]);
  });
  it("attention residual, whose 3D reference takes the shortcut from the second convolution by mistake", () => {
    expect(attentionResidual(FLAT, 32)).toBe(8_954_567);
    expect(attentionResidual(FULL, 32, "second convolution")).toBe(25_381_095);
    // n (n - inputs) weights less at each level.
    expect(attentionResidual(FULL, 32)).toBe(25_381_095 - (32 * 31 + 64 * 32 + 128 * 64 + 256 * 128));
  });
  it("counts that the reference does not print, worked out from its layers", () => {
    expect([residual(FLAT, 32), residual(FULL, 32)]).toEqual([8_121_027, 22_936_835]);
    expect([attention(FLAT, 32), attention(FULL, 32)]).toEqual([8_909_127, 25_291_655]);
    expect([multiRes(FLAT, 32), multiRes(FULL, 32)]).toEqual([7_262_612, 18_656_996]);
    expect([highResolutionDense(FLAT, 32), highResolutionDense(FULL, 32)]).toEqual([14_327_875, 41_443_267]);
    // The published network has one output.
    expect([highResolutionDense(FLAT, 32, 1), highResolutionDense(FULL, 32, 1)]).toEqual([14_327_681, 41_443_073]);
  });
  it("multi-path", () => expect([multiPath(FLAT, PATHS), multiPath(FULL, PATHS)]).toEqual([10_082_783, 31_530_623]));
});

const FAMILY = [
  { name: "standard", make: unet, formula: standard },
  { name: "residual", make: residualUnet, formula: residual },
  { name: "compact", make: compactUnet, formula: compact },
  { name: "dense", make: denseUnet, formula: dense },
  { name: "high-resolution dense", make: highResolutionDenseUnet, formula: highResolutionDense },
  { name: "attention", make: attentionUnet, formula: attention },
  { name: "attention residual", make: attentionResidualUnet, formula: attentionResidual },
  { name: "multiRes", make: multiResUnet, formula: multiRes },
] as const;

describe("the networks have as many parameters as the formulas say", () => {
  it.each(FAMILY)("$name, 2D, with the reference's 32 filters", ({ make, formula }) => expect(count(make(), 2)).toBe(formula(FLAT, 32)));
  it.each(FAMILY)("$name, 3D, with the reference's 32 filters", ({ make, formula }) => expect(count(make(), 3)).toBe(formula(FULL, 32)));
  it("multi-path, 2D, with the reference's filters", () => expect(count(multiPathUnet(), 2)).toBe(10_082_783));
  it("multi-path, 3D, with the reference's filters", () => expect(count(multiPathUnet(), 3)).toBe(31_530_623));
  it("residual encoder as it is by default", () => {
    expect(residualEncoder(FLAT, [32, 64, 128, 256, 320, 320], [1, 3, 4, 6, 6, 6], false)).toBe(34_530_211);
    expect(residualEncoder(FULL, [32, 64, 128, 256, 320, 320], [1, 3, 4, 6, 6, 6], false)).toBe(102_348_259);
    expect(count(residualEncoderUnet({ pooling: "isotropic" }), 2)).toBe(34_530_211);
  });
  it.each([false, true])("residual encoder, deep supervision %s", (deepSupervision) => {
    const [filters, blocks] = [
      [4, 6, 8, 8],
      [1, 3, 2, 2],
    ] as const;
    const spec = residualEncoderUnet({ filters, blocks, deepSupervision, pooling: "isotropic" });
    expect(count(spec, 2)).toBe(residualEncoder(FLAT, filters, blocks, deepSupervision));
    expect(count(spec, 3)).toBe(residualEncoder(FULL, filters, blocks, deepSupervision));
  });
});
