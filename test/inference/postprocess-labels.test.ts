import { describe, expect, it } from "vitest";
import { Random } from "../../src/core/random.js";
import type { Triple } from "../../src/core/shape.js";
import { postprocessLabels } from "../../src/inference/postprocess-labels.js";
import type { PostprocessingStep } from "../../src/inference/postprocessing-step.js";

const classes = ["background", "kidney", "tumor"];
const SPACING: Triple = [2, 1, 0.5];

/** One row of voxels; runs are components. */
function row(text: string, steps: readonly PostprocessingStep[]): string {
  const labels = Uint8Array.from(text, Number);
  postprocessLabels(labels, { shape: [1, 1, text.length], spacing: SPACING, classes, steps });
  return labels.join("");
}

describe("postprocessLabels", () => {
  it("keeps the largest component of a class and leaves other classes alone; of equal ones the first", () => {
    expect(row("110222011102", [{ operation: "keepLargest", classes: ["kidney"], count: 1 }])).toBe("000222011102");
    expect(row("11002201100", [{ operation: "keepLargest", classes: ["kidney"], count: 1 }])).toBe("11002200000");
  });

  it("keeps as many as asked for", () => {
    expect(row("1011011101", [{ operation: "keepLargest", classes: ["kidney"], count: 2 }])).toBe("0011011100");
  });

  it("several classes are one mask: a tumor that touches the kept kidney stays, one on its own goes", () => {
    expect(row("112200220110", [{ operation: "keepLargest", classes: ["kidney", "tumor"], count: 1 }])).toBe("112200000000");
  });

  it("takes away what is smaller than a number of voxels or mm³; what is just as large stays", () => {
    expect(row("1011011101", [{ operation: "minimalSize", classes: ["kidney"], size: 2, unit: "voxels" }])).toBe("0011011100");
    // A voxel has 1 mm³.
    expect(row("1011011101", [{ operation: "minimalSize", classes: ["kidney"], size: 3, unit: "mm3" }])).toBe("0000011100");
  });

  it("goes through its steps in order and counts what it removed", () => {
    const labels = Uint8Array.from("1110222011011", Number);
    const steps: PostprocessingStep[] = [
      { operation: "minimalSize", classes: ["kidney"], size: 3, unit: "voxels" },
      { operation: "keepLargest", classes: ["kidney", "tumor"], count: 1 },
    ];
    expect(postprocessLabels(labels, { shape: [1, 1, 13], spacing: SPACING, classes, steps })).toBe(4 + 3);
    expect(labels.join("")).toBe("1110000000000");
  });

  it("equals a flood fill on random maps, in 3D with corners as neighbors", () => {
    const shape: Triple = [6, 7, 8];
    const random = new Random(4, "postprocess");
    for (let round = 0; round < 10; round++) {
      const labels = Uint8Array.from({ length: 6 * 7 * 8 }, () => (random.uniform(0, 1) < 0.12 ? random.integer(1, 2) : 0));
      const expected = keepLargestByFlood(labels, shape, 1);
      postprocessLabels(labels, { shape, spacing: SPACING, classes, steps: [{ operation: "keepLargest", classes: ["kidney"], count: 1 }] });
      expect(Array.from(labels)).toEqual(Array.from(expected));
    }
  });

  it("leaves an empty class as it is, and refuses classes and sizes that cannot be", () => {
    expect(row("0220", [{ operation: "keepLargest", classes: ["kidney"], count: 1 }])).toBe("0220");
    const wrong =
      (step: PostprocessingStep): (() => string) =>
      () =>
        row("0", [step]);
    expect(wrong({ operation: "keepLargest", classes: ["liver"], count: 1 })).toThrow('keepLargest must be classes among kidney, tumor, got "liver"');
    expect(wrong({ operation: "keepLargest", classes: ["background"], count: 1 })).toThrow("classes among kidney, tumor");
    expect(wrong({ operation: "keepLargest", classes: ["kidney"], count: 0 })).toThrow("keepLargest.count must be an integer >= 1, got 0");
    expect(wrong({ operation: "minimalSize", classes: ["kidney"], size: -1, unit: "mm3" })).toThrow("minimalSize.size must be > 0, got -1");
  });
});

function keepLargestByFlood(labels: Uint8Array, [depth, height, width]: Triple, label: number): Uint8Array {
  const seen = new Uint8Array(labels.length);
  let best: number[] = [];
  for (let from = 0; from < labels.length; from++) {
    if (labels[from] !== label || seen[from]) continue;
    const members = [from];
    seen[from] = 1;
    for (let next = 0; next < members.length; next++) {
      const at = members[next]!;
      const [z, y, x] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width];
      for (let dz = -1; dz <= 1; dz++)
        for (let dy = -1; dy <= 1; dy++)
          for (let dx = -1; dx <= 1; dx++) {
            const [a, b, c] = [z + dz, y + dy, x + dx];
            if (a < 0 || b < 0 || c < 0 || a >= depth || b >= height || c >= width) continue;
            const other = (a * height + b) * width + c;
            if (labels[other] !== label || seen[other]) continue;
            seen[other] = 1;
            members.push(other);
          }
    }
    if (members.length > best.length) best = members;
  }
  return labels.map((value, at) => (value === label && !best.includes(at) ? 0 : value));
}
