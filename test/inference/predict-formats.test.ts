import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { predict } from "../../src/inference/predict.js";
import { readHeader } from "../../src/io/read-header.js";
import { readLabel } from "../../src/io/read-label.js";
import { labelOf } from "../io/dicom/fixture/volume-of.js";
import { writeSeries } from "../io/dicom/fixture/write-series.js";
import { metaBytes, nrrdBytes, pngBytes, tiffBytes } from "../io/format-bytes.js";
import { identityBundle } from "./identity-model.js";

const folder = mkdtempSync(join(tmpdir(), "voxstream-predict-formats-"));
const [columns, rows, slices] = [9, 7, 5];
// No symmetry hides a wrong flip.
const labels = Uint8Array.from({ length: columns * rows * slices }, (_, n) => ((n * 7919) >> 3) % 3);
const slice = labels.subarray(0, columns * rows);
const pages = Array.from({ length: slices }, (_, k) => labels.subarray(k * columns * rows, (k + 1) * columns * rows));
const sizes = `${columns} ${rows} ${slices}`;

/** 8 bits, the last row first, each of 12 bytes; the palette is gray. */
function bmpBytes(): Buffer {
  const bytes = Buffer.alloc(54 + 1024 + 12 * rows);
  bytes.write("BM", "latin1");
  for (const [at, value] of [
    [10, 54 + 1024],
    [14, 40],
    [18, columns],
    [22, rows],
    [26, 1 + 8 * 65536],
  ] as const) {
    bytes.writeUInt32LE(value, at);
  }
  for (let n = 0; n < 256; n++) bytes.fill(n, 54 + 4 * n, 57 + 4 * n);
  for (let y = 0; y < rows; y++) bytes.set(slice.subarray(y * columns, (y + 1) * columns), 54 + 1024 + 12 * (rows - 1 - y));
  return bytes;
}

beforeAll(() => startEngine());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("predict", () => {
  // The axes of volumes run to Superior, Left and Posterior, or the like.
  const directions = "(0,0,2) (-3,0,0) (0,5,0)";
  const volumes: [string, (path: string) => void][] = [
    [
      "a.nrrd",
      (path) =>
        writeFileSync(
          path,
          nrrdBytes({ type: "uchar", dimension: "3", sizes, space: "RAS", "space directions": directions, "space origin": "(1,2,3)" }, labels),
        ),
    ],
    [
      "a.mha",
      (path) =>
        writeFileSync(
          path,
          metaBytes(
            { NDims: "3", DimSize: sizes, ElementSpacing: "2 3 5", Offset: "1 2 3", TransformMatrix: "0 0 -1 1 0 0 0 1 0", ElementType: "MET_UCHAR" },
            labels,
            true,
          ),
        ),
    ],
    ["a.tif", (path) => writeFileSync(path, tiffBytes({ width: columns, height: rows, pages, bits: 8, deflate: true }))],
    [
      "a",
      (path) =>
        void writeSeries({
          folder: path,
          shape: [columns, rows, slices],
          stored: Int16Array.from(labels, (value) => value + 1024),
          orientation: [0, 1, 0, 0, 0, -1],
          step: [-2.5, 0, 0],
        }),
    ],
  ];
  it.each(volumes)("gives the voxels of %s back on its grid", async (name, write) => {
    const inputs = join(folder, `volume-${name}`);
    const output = `${inputs}-predicted`;
    mkdirSync(inputs);
    write(join(inputs, name));
    expect(await predict({ bundle: identityBundle(["a", "b", "c"], [4, 4, 4]), inputs, output, workers: 0 })).toMatchObject({ written: ["a"] });
    const { header, voxels } = await labelOf(join(output, "a.nii.gz"));
    expect(voxels).toEqual([...labels]);
    const { source } = await readHeader(join(inputs, name));
    expect(header.source.shape).toEqual([columns, rows, slices]);
    for (const [n, value] of header.source.affine.entries()) expect(value).toBeCloseTo(source.affine[n]!, 4);
  });

  const pictures: [string, () => Buffer][] = [
    ["a.png", () => pngBytes({ width: columns, height: rows, bitDepth: 8, colorType: 0, rows: slice })],
    [
      "b.png",
      () => pngBytes({ width: columns, height: rows, bitDepth: 16, colorType: 0, rows: Buffer.from(Uint16Array.from(slice).buffer).swap16() }),
    ],
    ["c.bmp", bmpBytes],
    ["d.tif", () => tiffBytes({ width: columns, height: rows, pages: [slice], bits: 8 })],
  ];
  it.each(pictures)("gives the pixels of %s back as a picture", async (name, bytes) => {
    const inputs = join(folder, `picture-${name}`);
    const output = `${inputs}-predicted`;
    mkdirSync(inputs);
    writeFileSync(join(inputs, name), bytes());
    await predict({ bundle: identityBundle(["a", "b", "c"], [1, 4, 4]), inputs, output, workers: 0 });
    expect(readdirSync(output).filter((file) => file.startsWith(name[0]!))).toEqual([`${name[0]}.png`]);
    expect((await labelOf(join(output, `${name[0]}.png`))).voxels).toEqual([...slice]);
  });

  it("gives labels above 255 back as pictures of 16 bits", async () => {
    const inputs = join(folder, "many");
    mkdirSync(inputs);
    const values = Uint16Array.from(slice, (value, n) => (n === 0 ? 299 : value));
    writeFileSync(
      join(inputs, "a.png"),
      pngBytes({ width: columns, height: rows, bitDepth: 16, colorType: 0, rows: Buffer.from(values.slice().buffer).swap16() }),
    );
    const classes = Array.from({ length: 300 }, (_, n) => `class ${n}`);
    const output = join(folder, "many-predicted");
    await predict({ bundle: identityBundle(classes, [1, 4, 4]), inputs, output, workers: 0 });
    const header = await readHeader(join(output, "a.png"), { role: "label" });
    expect(header.dtype).toBe("uint16");
    const own = await readHeader(join(inputs, "a.png"), { role: "label" });
    const [given, predicted] = [new Uint16Array(values.length), new Uint16Array(values.length)];
    readLabel(own, given);
    readLabel(header, predicted);
    expect([...predicted]).toEqual([...given]);
    expect(given).toContain(299);
  });
});
