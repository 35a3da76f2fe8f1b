import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { CustomCase } from "../../src/core/case.js";
import { axisAligned } from "../../src/core/geometry.js";
import { Random } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";
import type { Shape4, Triple } from "../../src/core/shape.js";
import { Volume } from "../../src/core/volume.js";
import type { VoxelSource } from "../../src/core/voxel-source.js";
import { connectedComponentsReference } from "../../src/kernels/connected-components/reference.js";
import { cached, cases, load, type PatchOptions, patch } from "../../src/operators/index.js";
import { foregroundPoints, lesionPoints } from "../../src/operators/patch/foreground-points.js";
import { source } from "../../src/streams/index.js";
import { collect, contextOf, refsOf, syntheticData } from "./run-graph.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-lesions-"));
afterAll(() => rmSync(folder, { recursive: true }));

function sampleOf(shape: Shape4, label: Uint8Array): Sample {
  const geometry = axisAligned();
  return {
    id: "case",
    epoch: 0,
    image: Volume.of("float32", shape, Float32Array.from(label), geometry),
    label: Volume.of("uint8", shape, label, geometry),
    history: [],
  };
}

interface Seen {
  readonly origin: Triple;
  readonly labels: Uint8Array;
}

function patches(sample: Sample, options: PatchOptions, seed = 1): Promise<Seen[]> {
  const flow = source("case", 1, () => sample).pipe(patch(options));
  return collect(flow, contextOf({ seed }), ({ origin, label }) => ({ origin: origin!, labels: (label as Volume<"uint8">).data.slice() }));
}

/** An organ of 500 voxels (1), three lesions of 1, 8 and 200 voxels (2) in a row of 2000. */
function row(): Uint8Array {
  const label = new Uint8Array(2000);
  label.fill(1, 100, 600);
  label[700] = 2;
  label.fill(2, 900, 908);
  label.fill(2, 1500, 1700);
  return label;
}
const lesionOf = ({ origin: [, , x] }: Seen, size: number): number => [700, 904, 1600].findIndex((at) => at >= x && at < x + size);

describe("patches around foreground", () => {
  it("by class find each label equally often, by lesion each lesion of a label, whatever its size", async () => {
    const sample = () => sampleOf([1, 1, 2000, 1], row());
    const byClass = await patches(sample(), { size: [1, 1, 30], perCase: 600, foreground: 1 });
    const counts = (seen: Seen[], of: (one: Seen) => number) => {
      const found = new Map<number, number>();
      for (const one of seen) found.set(of(one), (found.get(of(one)) ?? 0) + 1);
      return found;
    };
    const classes = counts(byClass, ({ labels }) => Math.max(...labels));
    expect(classes.get(1)! / 600).toBeCloseTo(0.5, 1);
    // Of 209 voxels of label 2 one is the smallest lesion.
    expect(byClass.filter(({ labels, origin }) => labels.includes(2) && lesionOf({ origin, labels }, 30) === 0).length).toBeLessThan(15);

    const byLesion = await patches(sample(), { size: [1, 1, 30], perCase: 600, foreground: { share: 1, by: "lesion", classes: [2] } });
    expect(byLesion.every(({ labels }) => labels.includes(2))).toBe(true);
    const around = (from: number, to: number) => byLesion.filter(({ origin: [, , x] }) => x + 30 > from && x < to).length / 600;
    for (const share of [around(700, 701), around(900, 908), around(1500, 1700)]) expect(Math.abs(share - 1 / 3)).toBeLessThan(0.07);
  });

  it("have the drawn voxel anywhere in them, not in the middle", async () => {
    const label = new Uint8Array(1000);
    label[500] = 3;
    const seen = await patches(sampleOf([1, 1, 1000, 1], label), { size: [1, 1, 10], perCase: 1000, foreground: { share: 1, by: "lesion" } });
    const offsets = new Array(10).fill(0);
    for (const { origin } of seen) offsets[500 - origin[2]]++;
    for (const count of offsets) expect(Math.abs(count - 100)).toBeLessThan(45);
  });

  it("of chosen classes hold those; cases without them, or without any foreground, give patches from anywhere", async () => {
    const options = (classes: number[]): PatchOptions => ({ size: [1, 1, 20], perCase: 80, foreground: { share: 1, by: "lesion", classes } });
    expect((await patches(sampleOf([1, 1, 2000, 1], row()), options([1]))).every(({ labels }) => labels.includes(1))).toBe(true);
    for (const label of [row(), new Uint8Array(2000)]) {
      const seen = await patches(sampleOf([1, 1, 2000, 1], label), options([7]));
      expect(new Set(seen.map(({ origin }) => origin[2])).size).toBeGreaterThan(60);
    }
    expect(await patches(sampleOf([1, 1, 2000, 1], new Uint8Array(2000)), { size: [1, 1, 20], perCase: 5, foreground: 1 })).toHaveLength(5);
  });

  it("spread evenly are n·share of any n in a row, rounded up or down, and share of all on average", async () => {
    const label = new Uint8Array(4000);
    label.fill(1, 2000, 2010);
    let first = 0;
    for (let seed = 0; seed < 40; seed++) {
      const sample = sampleOf([1, 1, 4000, 1], label);
      const seen = await patches(sample, { size: [1, 1, 5], perCase: 12, foreground: { share: 0.25, spread: "even" } }, seed);
      const isNear = seen.map(({ labels }) => labels.includes(1));
      for (let k = 0; k + 4 <= 12; k++) expect(isNear.slice(k, k + 4).filter(Boolean).length).toBe(1);
      first += isNear[0] ? 1 : 0;
    }
    // The place of the first one is drawn per case and epoch.
    expect(first).toBeGreaterThan(2);
    expect(first).toBeLessThan(22);
  });

  it("are the same from the cache, which keeps the index, and never read a whole label map from there", async () => {
    const make = (index: number): CustomCase => {
      const random = new Random("lesions", index);
      const data = new Uint8Array(12 * 20 * 16).map(() => (random.chance(0.02) ? random.integer(1, 2) : 0));
      return { image: { data: Float32Array.from(data), shape: [12, 20, 16, 1] }, label: { data, shape: [12, 20, 16, 1] } };
    };
    const data = syntheticData(3, [12, 20, 16, 1], make);
    const cut = patch({ size: [3, 4, 4], perCase: 6, foreground: { share: 0.7, by: "lesion" } });
    const see = ({ origin, label }: Sample) => [origin, [...(label as Volume<"uint8">).data]];
    const plain = await collect(cases(data, { refs: refsOf(3), order: "sorted" }).pipe(load(), cut), contextOf(), see);
    const stored = () => cases(data, { refs: refsOf(3), order: "sorted" }).pipe(cached(load(), { folder }));
    expect(await collect(stored().pipe(cut), contextOf(), see)).toEqual(plain);
    const read: number[] = [];
    const watched = await collect(stored(), contextOf(), ({ id, epoch, image, label, history }) => {
      const spied = Object.assign(Object.create(Object.getPrototypeOf(label)), label) as VoxelSource<"uint8">;
      spied.readRegion = (start, size, target) => {
        read.push(size[0] * size[1] * size[2]);
        label!.readRegion!(start, size, target);
      };
      return { id, epoch, image, label: spied, history } as Sample;
    });
    const flow = source("watched", 3, (n) => watched[n]!).pipe(cut);
    expect(await collect(flow, contextOf(), see)).toEqual(plain);
    expect(Math.max(...read)).toBeLessThanOrEqual(3 * 4 * 4);
    expect(read).toHaveLength(18);
  });
});

describe("the index of foreground voxels", () => {
  it("holds voxels of every component of every label, each where it says", () => {
    for (let trial = 0; trial < 30; trial++) {
      const random = new Random("index", trial);
      const shape: Shape4 = [random.integer(1, 6), random.integer(1, 8), random.integer(1, 20), 1];
      const labels = Uint8Array.from({ length: shape[0] * shape[1] * shape[2] }, () => (random.chance(0.15) ? random.integer(1, 3) : 0));
      const found = lesionPoints(trial % 2 ? labels : Uint16Array.from(labels), shape);
      expect(Object.keys(found)).toEqual(Object.keys(foregroundPoints(labels)));
      for (const [label, lesions] of Object.entries(found)) {
        const components = new Int32Array(labels.length);
        const mask = labels.map((value) => (value === Number(label) ? 1 : 0));
        const count = connectedComponentsReference(mask, [shape[0], shape[1], shape[2]], components, 26);
        expect(lesions).toHaveLength(count);
        const numbers = lesions.map((points) => {
          expect(points.length).toBeGreaterThan(0);
          expect(new Set(points.map((at) => components[at])).size).toBe(1);
          return components[points[0]!]!;
        });
        expect(new Set(numbers).size).toBe(count);
        expect(numbers).not.toContain(0);
      }
    }
  });

  it("stays small for large and for many structures", () => {
    const large = new Uint8Array(40 * 40 * 40).fill(1);
    expect(lesionPoints(large, [40, 40, 40, 1])["1"]!.map((points) => points.length)).toEqual([256]);
    const dots = Uint8Array.from({ length: 64000 }, (_, i) =>
      i % 2 === 0 && Math.floor(i / 40) % 2 === 0 && Math.floor(i / 1600) % 2 === 0 ? 2 : 0,
    );
    const many = lesionPoints(dots, [40, 40, 40, 1])["2"]!;
    expect(many.length).toBeGreaterThan(100);
    expect(many.length).toBeLessThanOrEqual(128);
    expect(many.every((points) => points.length === 1)).toBe(true);
  });
});
