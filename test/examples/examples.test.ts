import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCase, niftiCases, PHANTOM_CLASSES, writePhantoms } from "../../src/io/index.js";
import { writeStructures } from "../io/dicom/fixture/write-labels.js";
import { someValues, writeSeries } from "../io/dicom/fixture/write-series.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-examples-"));
const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const [a, b] = [join(root, "a"), join(root, "b")];
const npy = join(root, "npy");
const dicom = join(root, "dicom");
const number = String.raw`\d+(\.\d+)?`;

beforeAll(async () => {
  await writePhantoms({ folder: a, cases: 3, shape: [20, 48, 48], seed: 0 });
  await writePhantoms({ folder: b, cases: 2, shape: [20, 48, 48], seed: 7 });
  await writeNpy();
  for (const id of ["a", "b"]) writeSeries({ folder: join(dicom, id), shape: [6, 5, 4], stored: someValues([6, 5, 4]) });
  writeStructures(join(dicom, "a", "RS"), [{ name: "Kidney", contours: [[-9.6, -19.5, 30, -8.5, -19.5, 30, -8.5, -17.5, 30, -9.6, -17.5, 30]] }]);
});

/** The cases of `a` as numpy saves what nibabel reads: (x, y, z), with x from Right to Left. */
async function writeNpy(): Promise<void> {
  mkdirSync(npy);
  const data = niftiCases({ root: a, classes: PHANTOM_CLASSES });
  const save = (name: string, type: string, extents: readonly number[], values: Int16Array | Uint8Array | Float64Array): void => {
    const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${extents.join(", ")}), }`;
    const padded = `${header.padEnd(117)}\n`;
    const head = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, padded.length & 255, padded.length >> 8]);
    writeFileSync(join(npy, name), Buffer.concat([head, Buffer.from(padded, "latin1"), Buffer.from(values.buffer)]));
  };
  for (const ref of (await data.list()).slice(0, 2)) {
    const { id, shape, geometry, image, label } = await loadCase(data, ref);
    const [depth, height, width] = shape;
    const voxels = new Int16Array(image.length);
    const labels = new Uint8Array(image.length);
    for (let z = 0, from = 0; z < depth; z++) {
      for (let y = 0; y < height; y++) {
        for (let x = width - 1; x >= 0; x--, from++) {
          voxels[(x * height + y) * depth + z] = image[from]!;
          labels[(x * height + y) * depth + z] = label![from]!;
        }
      }
    }
    const affine = Float64Array.from(geometry.affine, (value, at) =>
      at % 4 === 0 && at < 12 ? -value : at % 4 === 3 && at < 12 ? value + (width - 1) * geometry.affine[at - 3]! : value,
    );
    save(`${id}.image.npy`, "<i2", [width, height, depth], voxels);
    save(`${id}.label.npy`, "|u1", [width, height, depth], labels);
    save(`${id}.affine.npy`, "<f8", [4, 4], affine);
  }
}

afterAll(() => rmSync(root, { recursive: true }));

/** Lines that each example prints, run as a user runs it: plain Node, and "voxstream" as the package itself. */
const EXPECTED: Readonly<Record<string, { readonly args: readonly string[]; readonly lines: readonly string[] }>> = {
  "on-the-fly.mjs": {
    args: [a],
    lines: ["batches of 2x16x32x32x1, labels uint8", `12 batches, at most ${number} MB of voxels, 0 samples left out`],
  },
  "cached.mjs": { args: [a, join(root, "cache")], lines: [1, 2, 3].map((epoch) => `epoch ${epoch}: ${number} s`) },
  "mixed.mjs": { args: [a, b], lines: ["a: (2[3-9]|3[0-7]) of 40 patches", "b: (1[0-7]|[3-9]) of 40 patches"] },
  "custom-operator.mjs": {
    args: [a, join(root, "custom-cache")],
    lines: [0, 1, 2].map((k) => `case_0000${k}: load softWindow patch negative randomOffset; offset -?0.0${number}`),
  },
  "augmentation.mjs": { args: [a, join(root, "augmentation.png")], lines: [".*augmentation.png: 16 pictures"] },
  "cross-validation.mjs": {
    args: [a, join(root, "runs"), "1"],
    lines: [
      "class +n +Dice .*",
      "-+ .*",
      "kidney +3 .*",
      "tumor +[0-3] .*",
      "mean of classes .*",
      "3 cases; .*",
      "report: .*/run-crossval/evaluation/report.html",
    ],
  },
  "own-format.mjs": {
    args: [npy],
    lines: [
      ...[0, 1].map((k) => `case_0000${k}: 20x48x48x1, ${number} ${number} ${number} mm, SAL`),
      String.raw`voxels per class: \d{5}, \d{3,5}, \d{2,4}`,
      ...[0, 1].map(() => "case_0000[01] patch 0, case_0000[01] patch 1: 2x8x16x16x1"),
    ],
  },
  "dicom.mjs": {
    args: [dicom, join(root, "nifti")],
    lines: ["a: 4x5x6x1, 2.50 0.80 0.70 mm, 6 labelled voxels", "b: 4x5x6x1, 2.50 0.80 0.70 mm, no labelled voxels"],
  },
  "another-trainer.mjs": {
    args: [a],
    lines: [...[10, 20, 30, 40].map((step) => `step ${step}: loss ${number}`), "it learns", "0 bytes still in use"],
  },
};

describe("the examples", () => {
  it("are all here", () => {
    expect(
      readdirSync(examples)
        .filter((name) => name.endsWith(".mjs") && !name.includes(".config."))
        .sort(),
    ).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))("%s prints what it says", { timeout: 300_000 }, async (name, { args, lines }) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(examples, name), ...args]);
    expect(stderr).toBe("");
    const printed = stdout.trimEnd().split("\n");
    expect(printed.length).toBe(lines.length);
    for (const [index, line] of printed.entries()) expect(line).toMatch(new RegExp(`^${lines[index]}$`));
  });

  it.each(["on-the-fly.mjs", "cached.mjs", "mixed.mjs", "custom-operator.mjs", "another-trainer.mjs"])(
    "%s says in one sentence that its folder is absent or holds no cases",
    async (name) => {
      const told = (folder: string) =>
        promisify(execFile)(process.execPath, [join(examples, name), folder, folder]).then(
          () => "ran",
          ({ code, stderr }: { readonly code: number; readonly stderr: string }) => [code, stderr.trimEnd()],
        );
      const [absent, empty] = [join(root, "absent"), mkdtempSync(join(root, "empty-"))];
      expect(await told(absent)).toEqual([1, `There is no folder ${absent}. Make one with cases: voxstream phantom ${absent}`]);
      expect(await told(empty)).toEqual([1, expect.stringMatching(/^ERR_EMPTY: [^\n]* the folder must hold cases: [^\n]*, got none$/)]);
    },
  );

  it("a full 3-fold cross-validation takes at most 15 lines", () => {
    expect(readFileSync(join(examples, "cross-validation.mjs"), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(15);
  });
});
