import type { OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import { type Affine, type Geometry, spacingOf } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import type { HistoryEntry, Sample } from "../../src/core/sample.js";
import { elementCount, type Shape4, spatial, type Triple } from "../../src/core/shape.js";
import { Volume } from "../../src/core/volume.js";
import { undoPreprocessing } from "../../src/inference/undo-preprocessing.js";
import { undoRenaming } from "../../src/inference/undo-renaming.js";
import { undoScores } from "../../src/inference/undo-scores.js";
import { cropForeground, mapLabels, orient, pad, replay, resample, resize } from "../../src/operators/index.js";
import { source } from "../../src/streams/index.js";
import { collect, contextOf } from "./run-graph.js";

/** Axis-aligned, flipped, permuted and oblique grids, as RAS, LPS, IPL and tilted files have them. */
function geometryOf(random: Random): Geometry {
  const [z, y, x]: Triple = [random.uniform(2, 5), random.uniform(0.5, 1.5), random.uniform(0.5, 1.5)];
  const tilt = random.chance(0.5) ? random.uniform(-0.4, 0.4) : 0;
  const [c, s] = [Math.cos(tilt), Math.sin(tilt)];
  const sign = () => (random.chance(0.5) ? 1 : -1);
  const columns = random
    .shuffle([
      [c, s, 0],
      [-s, c, 0],
      [0, 0, 1],
    ])
    .map((column) => {
      const direction = sign();
      return column.map((value) => value * direction);
    });
  const row = (k: number) => [columns[0]![k]! * x, columns[1]![k]! * y, columns[2]![k]! * z, random.uniform(-50, 50)];
  const affine = [...row(0), ...row(1), ...row(2), 0, 0, 0, 1] as unknown as Affine;
  return { affine, spacing: spacingOf(affine) };
}

function labelsOf(random: Random, [depth, height, width]: Triple): Uint8Array {
  const labels = new Uint8Array(depth * height * width);
  for (let blob = 0; blob < 4; blob++) {
    const at = [random.integer(1, depth - 2), random.integer(1, height - 2), random.integer(1, width - 2)];
    const radius = random.uniform(0.8, 3);
    for (let z = 0, i = 0; z < depth; z++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++, i++) if (Math.hypot(z - at[0]!, y - at[1]!, x - at[2]!) < radius) labels[i] = 1 + (blob % 3);
  }
  return labels;
}

interface Seen {
  readonly image: Float32Array;
  readonly shape: Shape4;
  readonly geometry: Geometry;
  readonly history: readonly HistoryEntry[];
}

async function through(sample: Sample, operators: readonly OperatorFunction<Sample, Sample>[]): Promise<Seen> {
  const flow = operators.reduce(
    (before, operator) => before.pipe(operator),
    source("case", 1, () => sample),
  );
  const [seen] = await collect(flow, contextOf({ mode: "prediction" }), ({ image, history }) => ({
    image: (image as Volume<"float32">).data.slice(),
    shape: image.shape,
    geometry: image.geometry,
    history,
  }));
  return seen!;
}

/** Movers whose own interpolation is exact, so that only places can be wrong. */
const MOVERS: readonly ((random: Random, spacing: Triple, size: Triple) => OperatorFunction<Sample, Sample>)[] = [
  (random) => orient({ axes: random.shuffle([..."RAS"].map((letter, k) => (random.chance(0.5) ? letter : "LPI"[k]!))).join("") }),
  (random) => cropForeground({ above: 0, margin: [random.integer(0, 2), random.integer(0, 3), random.integer(0, 3)] }),
  (random) =>
    pad({
      minSize: [random.integer(1, 12), random.integer(1, 20), random.integer(1, 20)],
      divisor: [1, random.integer(1, 8), random.integer(1, 8)],
      mode: random.shuffle(["constant", "edge", "reflect", "minimum"] as const)[0]!,
    }),
];

describe("an identity model's prediction comes back over preprocessing voxel for voxel", () => {
  it("from any grid, over orient, cropForeground and pad in any order and number", async () => {
    for (let trial = 0; trial < 60; trial++) {
      const random = new Random("round trip", trial);
      const size: Triple = [random.integer(4, 9), random.integer(6, 14), random.integer(6, 14)];
      const geometry = geometryOf(random);
      const labels = labelsOf(random, size);
      const sample: Sample = { id: "case", epoch: 0, image: Volume.of("float32", [...size, 1], Float32Array.from(labels), geometry), history: [] };
      const chain = Array.from({ length: random.integer(1, 5) }, () => MOVERS[random.integer(0, MOVERS.length - 1)]!(random, geometry.spacing, size));
      const seen = await through(sample, chain);
      const undone = undoPreprocessing({ labels: Uint8Array.from(seen.image), shape: spatial(seen.shape), classes: 4, history: seen.history });
      expect(undone.shape).toEqual(size);
      // Padding that reflects makes foreground of its own, which is cropped away again; nothing else is lost or moved.
      expect(undone.labels, `${trial}: ${seen.history.map(({ operator }) => operator)}`).toEqual(labels);
    }
  });

  it("over resample and resize to twice the voxels and back, between the others", async () => {
    for (let trial = 0; trial < 30; trial++) {
      const random = new Random("finer", trial);
      const size: Triple = [random.integer(3, 6), random.integer(5, 9), random.integer(5, 9)];
      const geometry = geometryOf(random);
      const labels = labelsOf(random, size);
      const sample: Sample = { id: "case", epoch: 0, image: Volume.of("float32", [...size, 1], Float32Array.from(labels), geometry), history: [] };
      const [z, y, x] = geometry.spacing;
      const labelOrder = (trial % 2) as 0 | 1;
      const finer =
        trial % 3 === 0
          ? resize({ size: [2 * size[0], 2 * size[1], 2 * size[2]], order: 0, labelOrder })
          : resample({ spacing: [z / 2, y / 2, x / 2], order: 0, labelOrder });
      const seen = await through(sample, [finer, orient({ axes: "LPS" }), cropForeground({ above: 0, margin: 2 }), pad({ divisor: 4, value: 0 })]);
      const undone = undoPreprocessing({ labels: Uint8Array.from(seen.image), shape: spatial(seen.shape), classes: 4, history: seen.history });
      expect(undone.labels, String(trial)).toEqual(labels);
    }
  });

  it("probabilities, too: what was cropped is background for certain, and every voxel still sums to 1", async () => {
    const random = new Random("probabilities");
    const size: Triple = [5, 8, 9];
    const geometry = geometryOf(random);
    const labels = labelsOf(random, size);
    const sample: Sample = { id: "case", epoch: 0, image: Volume.of("float32", [...size, 1], Float32Array.from(labels), geometry), history: [] };
    const seen = await through(sample, [cropForeground({ above: 0 }), orient({ axes: "SAR" }), pad({ divisor: 8 })]);
    const classes = 4;
    const probabilities = new Float32Array(seen.image.length * classes);
    seen.image.forEach((label, v) => {
      probabilities[v * classes + label] = 1;
    });
    const undone = undoPreprocessing({
      labels: Uint8Array.from(seen.image),
      probabilities,
      shape: spatial(seen.shape),
      classes,
      history: seen.history,
    });
    expect(undone.probabilities).toHaveLength(elementCount(size) * classes);
    labels.forEach((label, v) => {
      const own = [...undone.probabilities!.subarray(v * classes, (v + 1) * classes)];
      expect(own).toEqual([0, 1, 2, 3].map((c) => (c === label ? 1 : 0)));
    });
  });

  it("places in mm are those of the voxels: every voxel of an oriented and cropped sample lies where it lay", async () => {
    for (let trial = 0; trial < 20; trial++) {
      const random = new Random("places", trial);
      const size: Triple = [4, 5, 6];
      const geometry = geometryOf(random);
      // Each voxel holds its own number.
      const numbers = Float32Array.from({ length: 120 }, (_, i) => i);
      const sample: Sample = { id: "case", epoch: 0, image: Volume.of("float32", [...size, 1], numbers, geometry), history: [] };
      const seen = await through(sample, [cropForeground({ above: 30 }), MOVERS[0]!(random, geometry.spacing, size)]);
      const place = ({ affine: a }: Geometry, [z, y, x]: Triple) =>
        [0, 1, 2].map((k) => a[4 * k]! * x + a[4 * k + 1]! * y + a[4 * k + 2]! * z + a[4 * k + 3]!);
      const [, height, width] = seen.shape;
      seen.image.forEach((number, i) => {
        const now = place(seen.geometry, [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width]);
        const before = place(geometry, [Math.floor(number / 30), Math.floor(number / 6) % 5, number % 6]);
        now.forEach((value, k) => {
          expect(value).toBeCloseTo(before[k]!, 9);
        });
      });
      expect(seen.geometry.spacing).toEqual(spacingOf(seen.geometry.affine).map((value) => expect.closeTo(value, 12)));
    }
  });

  it("scores of one class alone, too, with what the background has where was cropped", async () => {
    const random = new Random("one class");
    const size: Triple = [5, 8, 9];
    const labels = labelsOf(random, size);
    const image = Volume.of("float32", [...size, 1], Float32Array.from(labels), geometryOf(random));
    const seen = await through({ id: "case", epoch: 0, image, history: [] }, [
      cropForeground({ above: 0 }),
      orient({ axes: "AIL" }),
      pad({ divisor: 4 }),
    ]);
    const of = (label: number) => seen.image.map((value) => (value === label ? 0.5 : 0));
    for (const label of [0, 1, 2, 3]) {
      const { scores, shape } = undoScores(of(label), spatial(seen.shape), seen.history, () => false, label === 0 ? 0.5 : 0);
      expect(shape).toEqual(size);
      expect(scores).toEqual(Float32Array.from(labels, (value) => (value === label ? 0.5 : 0)));
    }
  });

  it("renamed labels get their old values back where the map is one to one, else they stay", async () => {
    const sample: Sample = { id: "case", epoch: 0, image: Volume.of("float32", [1, 1, 5, 1], new Float32Array(5)), history: [] };
    const back = async (operator: OperatorFunction<Sample, Sample>): Promise<Uint8Array | Uint16Array> => {
      const { history } = await through(sample, [operator]);
      return undoRenaming(Uint8Array.of(0, 1, 2, 3, 4), history);
    };
    expect(await back(mapLabels({ map: { 3: 4, 4: 3 } }))).toEqual(Uint8Array.of(0, 1, 2, 4, 3));
    expect(await back(mapLabels({ map: { 1: 1, 2: 2, 4: 3 }, others: 0 }))).toEqual(Uint8Array.of(0, 1, 2, 4, 4));
    expect(await back(mapLabels({ map: { 0: 0, 255: 1 }, others: 0 }))).toEqual(Uint8Array.of(0, 255, 2, 3, 4));
    expect(await back(mapLabels({ map: { 0: 0, 1000: 1 }, others: 0 }))).toEqual(Uint16Array.of(0, 1000, 2, 3, 4));
    // Tumor became kidney, or 3 may have been 4 or 3 before: nothing tells them apart.
    expect(await back(mapLabels({ map: { 2: 1 } }))).toEqual(Uint8Array.of(0, 1, 2, 3, 4));
    expect(await back(mapLabels({ map: { 4: 3 } }))).toEqual(Uint8Array.of(0, 1, 2, 3, 4));
    expect(await back(mapLabels({ map: { 1: 1, 2: 1 }, others: 0 }))).toEqual(Uint8Array.of(0, 1, 2, 3, 4));
  });

  it("a history runs again without looking at the voxels, to the same bytes", async () => {
    const random = new Random("again");
    const size: Triple = [6, 9, 8];
    const sample = (): Sample => ({
      id: "case",
      epoch: 0,
      image: Volume.of("float32", [...size, 1], Float32Array.from(labelsOf(new Random("again", 1), size)), geometryOf(new Random("again", 2))),
      history: [],
    });
    const seen = await through(sample(), [cropForeground({ above: 0, margin: random.integer(0, 1) }), orient({ axes: "LPI" })]);
    const again = await through(sample(), [replay(seen.history)]);
    expect(again).toEqual(seen);
    expect(seen.history[0]).toMatchObject({
      operator: "cropForeground",
      params: { measured: { start: expect.any(Array), size: expect.any(Array) } },
    });
  });
});
