import type { OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import { axisAligned } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import type { RunContext } from "../../src/core/run-context.js";
import type { Sample } from "../../src/core/sample.js";
import type { Shape4 } from "../../src/core/shape.js";
import { SlabPool } from "../../src/core/slab-pool.js";
import { Volume } from "../../src/core/volume.js";
import {
  batch,
  cached,
  clip,
  cropForeground,
  load,
  mapLabels,
  normalize,
  oneHot,
  orient,
  pad,
  patch,
  prefetch,
  resample,
  rescaleHU,
  resize,
  shuffle,
  skipBlank,
  transform,
  windowLevel,
} from "../../src/operators/index.js";
import { source } from "../../src/streams/index.js";
import { createTaskPool } from "../../src/workers/create-task-pool.js";
import { collect, contextOf } from "./run-graph.js";

function sampleOf(shape: Shape4, image: ArrayLike<number>, label?: ArrayLike<number>): Sample {
  const geometry = axisAligned([3, 1, 1]);
  return {
    id: "case",
    epoch: 0,
    image: Volume.of("float32", shape, Float32Array.from(image), geometry),
    ...(label && { label: Volume.of("uint8", [shape[0], shape[1], shape[2], 1], Uint8Array.from(label), geometry) }),
    history: [],
  };
}

async function apply(sample: Sample, operators: readonly OperatorFunction<Sample, Sample>[], context = contextOf()) {
  const flow = operators.reduce(
    (before, operator) => before.pipe(operator),
    source("case", 1, () => sample),
  );
  const [seen] = await collect(flow, context, ({ image, label }) => ({
    shape: image.shape,
    spacing: image.geometry.spacing,
    image: [...(image as Volume<"float32">).data],
    label: label && [...(label as Volume<"uint8">).data],
  }));
  return seen!;
}

const near = (values: readonly number[], digits = 5) => values.map((value) => expect.closeTo(value, digits));

describe("rescaleHU and windowLevel", () => {
  const stored = [-2000, 0, 24, 1024, 1424, 3000];

  it("are MIScnn's TransformHU: stored values to HU, HU to 0..1", async () => {
    const sample = () => sampleOf([1, 1, 6, 1], stored);
    expect((await apply(sample(), [rescaleHU()])).image).toEqual([-1024, -1024, -1000, 0, 400, 1976]);
    const { image } = await apply(sample(), [rescaleHU(), windowLevel({ level: -300, width: 1400 })]);
    expect(image).toEqual(near([0, 0, 0, 0.714286, 1, 1], 6));
  });

  it("take slope, intercept and padding from the options", async () => {
    const sample = () => sampleOf([1, 1, 3, 1], [-2000, 5, -3]);
    expect((await apply(sample(), [rescaleHU({ slope: 2, intercept: 10, padding: -3 })])).image).toEqual([-3990, 20, 10]);
    expect((await apply(sample(), [rescaleHU({ padding: "none" })])).image).toEqual([-3024, -1019, -1027]);
  });

  it("refuse a slope of 0 and a window without width", () => {
    expect(() => rescaleHU({ slope: 0 })).toThrow("rescaleHU: slope must be a finite number other than 0, got 0");
    expect(() => rescaleHU({ padding: Number.NaN })).toThrow('rescaleHU: padding must be a finite number or "none", got NaN');
    expect(() => windowLevel({ level: 40, width: 0 })).toThrow("windowLevel: width must be > 0 HU, got 0");
    expect(() => windowLevel({ level: Number.NaN, width: 1 })).toThrow("windowLevel: level must be a finite number of HU, got NaN");
  });
});

describe("resize", () => {
  const ramp = (count: number) => Array.from({ length: count }, (_, i) => i);

  // scikit-image 0.19.3: resize(arange(27.).reshape(3, 3, 3), (2, 2, 2), order=3, mode="edge", anti_aliasing=False), and the same of arange(16.) in 2D.
  // MIScnn's own figures for these (1.117… and 2.324…) go on with zeros beyond the border, which is what we do not do.
  it("equals scikit-image's with edge mode, in three and two dimensions", async () => {
    const cube = await apply(sampleOf([3, 3, 3, 1], ramp(27)), [resize({ size: [2, 2, 2] })]);
    expect(cube.image).toEqual(near([2.10702923, 3.78287088, 7.1345542, 8.81039586, 17.18960414, 18.8654458, 22.21712912, 23.89297077], 4));
    const half = await apply(sampleOf([1, 4, 4, 1], ramp(16)), [resize({ size: [1, 2, 2] })]);
    expect(half.image).toEqual(near([2.13221421, 4.27932852, 10.72067148, 12.86778579], 4));
    const third = await apply(sampleOf([1, 4, 4, 1], ramp(16)), [resize({ size: [1, 3, 3] })]);
    expect(third.image).toEqual(near([0.53819659, 1.93055727, 3.32291795, 6.10763932, 7.5, 8.89236068, 11.67708205, 13.06944273, 14.46180341], 4));
  });

  // scipy 1.10.1: map_coordinates(a, [(arange(27) + 0.5) * 40 / 27 - 0.5], order=3, mode="constant"), as batchgenerators' augment_resize calls it;
  // kept in the range of the input: -74.13 is -74
  it("equals MIScnn's spline where the border is far", async () => {
    const line = [
      30, 68, 73, 39, -12, -48, -47, -16, 16, 20, -9, -52, -74, -57, -9, 38, 56, 36, -1, -21, -8, 32, 66, 68, 31, -21, -55, -52, -19, 14, 18,
    ];
    line.push(-11, -51, -70, -50, 0, 47, 61, 39, 1);
    const theirs = [-35.891725, -74, -31.389499, 39.947932, 49.196822, -1.609762, -18.841508, 31.208221, 71.892436, 33.75426, -39.227077];
    const { image } = await apply(sampleOf([1, 1, 40, 1], line), [resize({ size: [1, 1, 27] })]);
    expect(image.slice(7, 18)).toEqual(near(theirs, 2));
  });

  it("goes from 16 to 7 voxels and back in shape, with labels that were there, over the same field of view", async () => {
    const random = new Random("resize");
    const labels = Array.from({ length: 4096 }, () => random.integer(0, 2));
    const { shape, label, spacing } = await apply(sampleOf([16, 16, 16, 1], labels, labels), [resize({ size: [7, 7, 7] })]);
    expect(shape).toEqual([7, 7, 7, 1]);
    expect(spacing).toEqual(near([(3 * 16) / 7, 16 / 7, 16 / 7], 9));
    expect(label!.every((value) => [0, 1, 2].includes(value))).toBe(true);
    expect((await apply(sampleOf([16, 16, 16, 1], labels), [resize({ size: [7, 7, 7] }), resize({ size: [16, 16, 16] })])).spacing).toEqual(
      near([3, 1, 1], 9),
    );
  });

  it("refuses extents that are no whole numbers", () => {
    expect(() => resize({ size: [1, 0, 2] })).toThrow("resize: size must be three whole numbers >= 1, [depth, height, width], got [1,0,2]");
    expect(() => resize({ size: [1, 1, 1], order: 2 as 3 })).toThrow("resize: order must be 0, 1 or 3, got 2");
  });
});

describe("cropForeground", () => {
  it("keeps the box of voxels above a value in any channel, with a margin, and the label with it", async () => {
    const image = new Float32Array(4 * 5 * 6 * 2).fill(-1);
    const at = (z: number, y: number, x: number) => (z * 5 + y) * 6 + x;
    image[2 * at(1, 2, 3)] = 5;
    image[2 * at(2, 3, 3) + 1] = 5;
    const label = Array.from({ length: 120 }, (_, i) => i);
    const tight = await apply(sampleOf([4, 5, 6, 2], image, label), [cropForeground({ above: 0 })]);
    expect(tight.shape).toEqual([2, 2, 1, 2]);
    expect(tight.image).toEqual([5, -1, -1, -1, -1, -1, -1, 5]);
    expect(tight.label).toEqual([at(1, 2, 3), at(1, 3, 3), at(2, 2, 3), at(2, 3, 3)]);
    const wide = await apply(sampleOf([4, 5, 6, 2], image, label), [cropForeground({ margin: [9, 1, 2] })]);
    expect(wide.shape).toEqual([4, 4, 5, 2]);
    expect(wide.label![0]).toBe(at(0, 1, 1));
  });

  it("leaves a sample without foreground whole, and one that is all foreground as it is", async () => {
    expect((await apply(sampleOf([2, 3, 4, 1], new Array(24).fill(7)), [cropForeground()])).shape).toEqual([2, 3, 4, 1]);
    expect((await apply(sampleOf([2, 3, 4, 1], new Array(24).fill(7)), [cropForeground({ above: 0 })])).image).toEqual(new Array(24).fill(7));
  });

  it("finds the same box as a search of every voxel, on random images", async () => {
    for (let trial = 0; trial < 40; trial++) {
      const random = new Random("box", trial);
      const shape: Shape4 = [random.integer(1, 6), random.integer(1, 7), random.integer(1, 9), random.integer(1, 2)];
      const [, height, width, channels] = shape;
      const image = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random.chance(0.03) ? 1 : 0));
      const found = [...image.keys()].filter((i) => image[i] === 1).map((i) => Math.floor(i / channels));
      const places = found.map((v) => [Math.floor(v / (height * width)), Math.floor(v / width) % height, v % width]);
      const extent = (axis: number) => Math.max(...places.map((p) => p[axis]!)) - Math.min(...places.map((p) => p[axis]!)) + 1;
      const expected = places.length === 0 ? shape.slice(0, 3) : [extent(0), extent(1), extent(2)];
      expect((await apply(sampleOf(shape, image), [cropForeground({ above: 0.5 })])).shape.slice(0, 3)).toEqual(expected);
    }
  });

  it("measures in worker threads, and what follows is planned by what they found", async () => {
    const tasks = createTaskPool({ threads: 1 });
    try {
      const random = new Random("threads");
      const image = Array.from({ length: 8 * 9 * 10 }, (_, i) => (i % 10 > 2 && i % 10 < 7 ? random.uniform(50, 90) : -100));
      const operators = () => [clip({ min: -50, max: 80 }), cropForeground(), normalize(), pad({ divisor: 8 }), orient({ axes: "LPS" })];
      const threaded = await apply(sampleOf([8, 9, 10, 1], image), operators(), contextOf({ tasks }));
      expect(threaded).toEqual(await apply(sampleOf([8, 9, 10, 1], image), operators()));
      expect(threaded.shape).toEqual([8, 16, 8, 1]);
    } finally {
      await tasks.destroy();
    }
  });
});

describe("memory of steps that look at voxels first", () => {
  /** A case whose foreground is a small box, in pooled memory. */
  const pooled = (context: RunContext): Sample => {
    const shape: Shape4 = [16, 64, 64, 1];
    const image = Volume.create(context.pool, "float32", shape, axisAligned());
    const label = Volume.create(context.pool, "uint8", shape, axisAligned());
    image.data.fill(0).fill(5, 64 * 64 * 4 + 64 * 10 + 10, 64 * 64 * 4 + 64 * 10 + 30);
    label.data.fill(1);
    return { id: "case", epoch: 0, image, label, history: [] };
  };

  it("is on loan from the beginning, so that nobody else can take it meanwhile, and goes back as soon as it is not needed", async () => {
    const whole = 16 * 64 * 64 * 5;
    const context = contextOf({ pool: new SlabPool({ budget: 4 * whole }) });
    const during: number[] = [];
    const spying: RunContext = {
      ...context,
      tasks: {
        concurrency: 1,
        run: (task, payload, options) => {
          during.push(context.pool.bytesInUse);
          return context.tasks.run(task, payload, options);
        },
      },
    };
    const flow = source("case", 1, () => pooled(context)).pipe(cropForeground({ above: 1 }), normalize(), resize({ size: [2, 4, 20], order: 1 }));
    await collect(flow, spying, ({ image }) => {
      expect(image.shape).toEqual([2, 4, 20, 1]);
    });
    // While it is measured: the sample and the most that may come of it; afterwards little more than the sample.
    expect(during[0]).toBeGreaterThanOrEqual(2 * whole);
    expect(during[1]).toBeLessThan(1.2 * whole);
    expect(context.pool.bytesInUse).toBe(0);
  });

  it("comes back when a step fails, in front of the look and behind it", async () => {
    for (const place of ["measureStep", "runSteps"]) {
      const context = contextOf();
      const failing: RunContext = {
        ...context,
        tasks: {
          concurrency: 1,
          run: async (task, payload, options) => {
            if (task === place) throw new Error("no");
            return context.tasks.run(task, payload, options);
          },
        },
      };
      const flow = source("case", 1, () => pooled(context)).pipe(cropForeground({ above: 1 }), normalize());
      await expect(collect(flow, failing, () => undefined)).rejects.toThrow(/no/);
      expect(context.pool.bytesInUse).toBe(0);
    }
  });

  it("serves several looks in one chain", async () => {
    const context = contextOf();
    const twice = source("case", 2, () => pooled(context)).pipe(
      cropForeground({ above: 1, margin: 3 }),
      orient({ axes: "SAR" }),
      cropForeground({ above: 1 }),
      pad({ divisor: 4 }),
    );
    const shapes = await collect(twice, context, ({ image }) => image.shape);
    expect(shapes).toEqual([
      [20, 4, 4, 1],
      [20, 4, 4, 1],
    ]);
    expect(context.pool.bytesInUse).toBe(0);
  });
});

describe("orient", () => {
  it("turns width to Left and height to Posterior by mirroring, and back", async () => {
    const image = [0, 1, 2, 3, 4, 5];
    const { image: turned, label } = await apply(sampleOf([1, 2, 3, 1], image, image), [orient({ axes: "LPS" })]);
    expect(turned).toEqual([5, 4, 3, 2, 1, 0]);
    expect(label).toEqual(turned);
    expect((await apply(sampleOf([1, 2, 3, 1], image), [orient({ axes: "LPS" }), orient({ axes: "RAS" })])).image).toEqual(image);
    expect((await apply(sampleOf([1, 2, 3, 1], image), [orient({ axes: "RAS" })])).image).toEqual(image);
  });

  it("puts slices along another axis first", async () => {
    const { shape, spacing, image } = await apply(sampleOf([2, 3, 1, 1], [0, 1, 2, 3, 4, 5]), [orient({ axes: "RSA" })]);
    // Depth now runs to Anterior, height to Superior.
    expect([shape, spacing]).toEqual([
      [3, 2, 1, 1],
      [1, 3, 1],
    ]);
    expect(image).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it.each(["RAX", "RRS", "RA", "ras", "RLS"])("refuses %s", (axes) => {
    expect(() => orient({ axes })).toThrow(`orient: axes must be three letters, one each of RL, AP and SI, got "${axes}"`);
  });
});

describe("normalize by foreground, percentiles and the data set", () => {
  it("takes statistics of foreground voxels only, and sets the others when told to", async () => {
    const image = [-1000, 10, 20, 30, -900];
    const scaled = await apply(sampleOf([1, 1, 5, 1], image), [normalize({ foreground: { above: 0 } })]);
    expect(scaled.image.slice(1, 4)).toEqual(near([-1.2247, 0, 1.2247], 3));
    expect(scaled.image[0]).toBeCloseTo(-1020 / Math.sqrt(200 / 3), 2);
    const set = await apply(sampleOf([1, 1, 5, 1], image), [normalize({ foreground: { above: 0, outside: -7 } })]);
    expect([set.image[0], set.image[4]]).toEqual([-7, -7]);
    expect(set.image.slice(1, 4)).toEqual(scaled.image.slice(1, 4));
  });

  it("counts a voxel that is foreground in one channel for all of them, together or apart", async () => {
    const image = [0, 0, 5, 0, 0, 8];
    const apart = await apply(sampleOf([1, 1, 3, 2], image), [normalize({ mode: "min-max", foreground: { above: 1 } })]);
    expect(apart.image).toEqual(near([0, 0, 1, 0, 0, 1], 5));
    const together = await apply(sampleOf([1, 1, 3, 2], image), [normalize({ mode: "min-max", foreground: { above: 1 }, perChannel: false })]);
    expect(together.image).toEqual(near([0, 0, 5 / 8, 0, 0, 1], 5));
  });

  it("without any foreground takes the whole case", async () => {
    const { image } = await apply(sampleOf([1, 1, 2, 1], [1, 3]), [normalize({ foreground: { above: 100 } })]);
    expect(image).toEqual(near([-1, 1], 4));
  });

  // numpy 1.24.2: percentile([0, …, 100], [10, 90]) is [10, 90]
  it("clips to percentiles and puts them onto the range, per channel or together", async () => {
    const ramp = Array.from({ length: 101 }, (_, i) => i);
    const { image } = await apply(sampleOf([1, 1, 101, 1], ramp), [normalize({ mode: "percentile", percentiles: [10, 90], range: [-1, 1] })]);
    expect([image[0], image[10], image[50], image[90], image[100]]).toEqual(near([-1, -1, 0, 1, 1], 5));
    const two = ramp.flatMap((x) => [x, 1000 + 10 * x]);
    const apart = await apply(sampleOf([1, 1, 101, 2], two), [normalize({ mode: "percentile", percentiles: [0, 50] })]);
    expect(apart.image.slice(50, 52)).toEqual(near([0.5, 0.5], 5));
    expect(apart.image.slice(200, 202)).toEqual(near([1, 1], 5));
    const masked = await apply(sampleOf([1, 1, 101, 1], ramp), [
      normalize({ mode: "percentile", percentiles: [0, 100], foreground: { above: 59.5 } }),
    ]);
    expect([masked.image[0], masked.image[80]]).toEqual(near([0, 0.5], 5));
  });

  it("clips and scales by numbers of the data set, one for all channels or one each", async () => {
    const one = await apply(sampleOf([1, 1, 4, 1], [-500, 0, 100, 900]), [normalize({ mode: "ct", low: -100, high: 300, mean: 100, deviation: 50 })]);
    expect(one.image).toEqual([-4, -2, 0, 4]);
    const each = await apply(sampleOf([1, 1, 2, 2], [0, 0, 10, 10]), [
      normalize({ mode: "ct", low: [-5, 2], high: [5, 8], mean: [0, 1], deviation: [1, 2] }),
    ]);
    expect(each.image).toEqual([0, 0.5, 5, 3.5]);
  });

  it("refuses numbers that do not belong together", () => {
    const ct = { mode: "ct", low: 0, high: 1, mean: 0, deviation: 1 } as const;
    expect(() => normalize({ ...ct, deviation: 0 })).toThrow("normalize: deviation must be > 0, in as many numbers as low, got 0");
    expect(() => normalize({ mode: "ct", low: 0, high: 1, mean: 0 })).toThrow(
      "normalize: deviation must be a finite number, or one per channel, got undefined",
    );
    expect(() => normalize({ ...ct, high: 0 })).toThrow("normalize: high must be above low, in as many numbers, got 0");
    expect(() => normalize({ ...ct, range: [0, 1] })).toThrow(/range must be absent with mode "ct"/);
    expect(() => normalize({ mean: 0 })).toThrow('normalize: mean must be given with mode "ct" only, got 0');
    expect(() => normalize({ percentiles: [1, 99] })).toThrow(/percentiles must be two ascending numbers in 0..100, with mode "percentile"/);
    expect(() => normalize({ foreground: { above: Number.NaN } })).toThrow("normalize: foreground.above must be a finite number, got NaN");
  });
});

describe("misspelled options", () => {
  const wrong: readonly [() => unknown, string][] = [
    [() => clip({ min: 0, max: 1, maxx: 2 } as never), "clip: options must be of min, max, got maxx; did you mean max?"],
    [() => normalize({ perChanel: true } as never), /got perChanel; did you mean perChannel\?/ as never],
    [() => rescaleHU({ interzept: 1 } as never), /rescaleHU: .* did you mean intercept\?/ as never],
    [() => windowLevel({ level: 1, widht: 2 } as never), /windowLevel: .* did you mean width\?/ as never],
    [() => resize({ shape: [1, 1, 1] } as never), /resize: options must be of size, order, labelOrder, got shape/ as never],
    [() => resample({ spacing: [1, 1, 1], labelOrdr: 1 } as never), /did you mean labelOrder\?/ as never],
    [() => pad({ divisors: 2 } as never), /pad: .* did you mean divisor\?/ as never],
    [() => orient({ axis: "RAS" } as never), /orient: .* did you mean axes\?/ as never],
    [() => cropForeground({ margins: 2 } as never), /cropForeground: .* did you mean margin\?/ as never],
    [() => mapLabels({ map: { 1: 2 }, other: 0 } as never), /mapLabels: .* did you mean others\?/ as never],
    [() => oneHot({ clases: 2 } as never), /oneHot: .* did you mean classes\?/ as never],
    [() => load({ label: "any" } as never), /load: .* did you mean labels\?/ as never],
    [() => patch({ size: [1, 1, 1], percase: 2 } as never), /patch: .* did you mean perCase\?/ as never],
    [() => patch({ size: [1, 1, 1], foreground: { share: 1, clases: [1] } } as never), /patch.foreground: .* did you mean classes\?/ as never],
    [() => skipBlank({ minimumFraction: 0 } as never), /skipBlank: .* did you mean minimalFraction\?/ as never],
    [() => shuffle({ windows: 8 } as never), /shuffle: .* did you mean window\?/ as never],
    [() => batch({ size: 2, incomplet: "drop" } as never), /batch: .* did you mean incomplete\?/ as never],
    [() => prefetch({ capacities: 2 } as never), /prefetch: .* did you mean capacity\?/ as never],
    [() => cached(load(), { quotas: "5GB" } as never), /cached: .* did you mean quota\?/ as never],
    [() => transform({ name: "clip", params: {} } as never), /transform: options must be of name, parameters, .* got params/ as never],
  ];
  it.each(wrong)("case %#", (build, message) => {
    expect(build).toThrow(message);
  });

  it("are found inside cached, too", () => {
    expect(() => cached(load(), clip({ min: 0, mx: 1 } as never))).toThrow(/did you mean max\?/);
  });
});
