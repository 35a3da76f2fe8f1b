import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCase, niftiCases, PHANTOM_CLASSES, writePhantoms } from "../../src/io/index.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-examples-"));
const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const [a, b] = [join(root, "a"), join(root, "b")];
const nrrd = join(root, "nrrd");
const number = String.raw`\d+(\.\d+)?`;

beforeAll(async () => {
  await writePhantoms({ folder: a, cases: 3, shape: [20, 48, 48], seed: 0 });
  await writePhantoms({ folder: b, cases: 2, shape: [20, 48, 48], seed: 7 });
  await writeNrrd();
});
/** The cases of `a` as NRRD files: in the space of DICOM, with rows from Right to Left, the label compressed. */
async function writeNrrd(): Promise<void> {
  mkdirSync(nrrd);
  const data = niftiCases({ root: a, classes: PHANTOM_CLASSES });
  for (const ref of (await data.list()).slice(0, 2)) {
    const { id, shape, geometry, image, label } = await loadCase(data, ref);
    const [depth, height, width] = shape;
    const mirrored = <A extends Int16Array | Uint8Array>(voxels: A): A => {
      for (let row = 0; row < depth * height; row++) voxels.subarray(row * width, (row + 1) * width).reverse();
      return voxels;
    };
    const column = (at: number, factor: number) => [0, 4, 8].map((row) => factor * geometry.affine[row + at]!);
    const first = column(3, 1).map((value, axis) => value + (width - 1) * column(0, 1)[axis]!);
    const inLps = ([x, y, z]: number[]) => `(${-x!},${-y!},${z})`;
    const directions = [column(0, -1), column(1, 1), column(2, 1)].map(inLps).join(" ");
    const header = (type: string, encoding: string) =>
      `NRRD0004\ntype: ${type}\ndimension: 3\nspace: left-posterior-superior\nsizes: ${width} ${height} ${depth}\nspace directions: ${directions}\nspace origin: ${inLps(first)}\nendian: little\nencoding: ${encoding}\n\n`;
    writeFileSync(
      join(nrrd, `${id}.image.nrrd`),
      Buffer.concat([Buffer.from(header("short", "raw")), Buffer.from(mirrored(Int16Array.from(image)).buffer)]),
    );
    writeFileSync(join(nrrd, `${id}.label.nrrd`), Buffer.concat([Buffer.from(header("uint8", "gzip")), gzipSync(mirrored(Uint8Array.from(label!)))]));
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
      "report: .*/run/evaluation/report.html",
    ],
  },
  "own-format.mjs": {
    args: [nrrd],
    lines: [
      ...[0, 1].map((k) => `case_0000${k}: 20x48x48x1, ${number} ${number} ${number} mm, LAS`),
      String.raw`voxels per class: \d{5}, \d{3,5}, \d{2,4}`,
      ...[0, 1].map(() => "case_0000[01] patch 0, case_0000[01] patch 1: 2x8x16x16x1"),
    ],
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
