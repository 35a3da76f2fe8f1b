import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../../src/core/shape.js";
import { FileVolume, filesOfVolume, readHeader, readVolume } from "../../../src/io/index.js";
import { nrrdBytes } from "../format-bytes.js";
import { scratchFolder } from "../scratch-folder.js";

const { root } = scratchFolder();
const at = (name: string): string => join(root, name);

async function voxelsOf(
  path: string,
): Promise<{ readonly shape: readonly number[]; readonly affine: readonly number[]; readonly values: number[]; readonly orientation: string }> {
  const header = await readHeader(path);
  const values = new Float32Array(elementCount(header.shape));
  readVolume(header, values);
  return { shape: header.shape, affine: header.geometry.affine, values: [...values], orientation: header.source.orientation };
}

/** i + 10 j + 100 k of 4 x 3 x 2 voxels. */
const counted = Array.from({ length: 24 }, (_, n) => (n % 4) + 10 * (Math.floor(n / 4) % 3) + 100 * Math.floor(n / 12));
const place = { dimension: "3", sizes: "4 3 2", "space directions": "(2,0,0) (0,3,0) (0,0,5)", "space origin": "(10,20,30)" };

describe("NRRD", () => {
  it("is turned from LPS to RAS, in voxels and place", async () => {
    writeFileSync(
      at("lps.nrrd"),
      nrrdBytes({ type: "short", ...place, space: "left-posterior-superior", endian: "little" }, new Uint8Array(Int16Array.from(counted).buffer)),
    );
    const { shape, affine, values, orientation } = await voxelsOf(at("lps.nrrd"));
    expect(shape).toEqual([2, 3, 4, 1]);
    expect(orientation).toBe("LPS");
    // What grows to the left and to the back is read from its end.
    expect(values.slice(0, 4)).toEqual([23, 22, 21, 20]);
    expect(values.slice(12, 16)).toEqual([123, 122, 121, 120]);
    expect(affine).toEqual([2, 0, 0, -16, 0, 3, 0, -26, 0, 0, 5, 30, 0, 0, 0, 1]);
  });

  it("stays as it is in RAS, and is mirrored once in LAS", async () => {
    const bytes = new Uint8Array(Int16Array.from(counted).buffer);
    writeFileSync(at("ras.nrrd"), nrrdBytes({ type: "int16", ...place, space: "RAS", endian: "little" }, bytes));
    writeFileSync(at("las.nrrd"), nrrdBytes({ type: "int16", ...place, space: "left-anterior-superior", endian: "little" }, bytes));
    expect((await voxelsOf(at("ras.nrrd"))).values).toEqual(counted);
    expect((await voxelsOf(at("ras.nrrd"))).affine).toEqual([2, 0, 0, 10, 0, 3, 0, 20, 0, 0, 5, 30, 0, 0, 0, 1]);
    expect((await voxelsOf(at("las.nrrd"))).values.slice(0, 4)).toEqual([3, 2, 1, 0]);
  });

  it("has the same values in every type, byte order and encoding, with its header beside it or in front", async () => {
    const types = {
      "signed char": Int8Array,
      uchar: Uint8Array,
      short: Int16Array,
      ushort: Uint16Array,
      int: Int32Array,
      uint: Uint32Array,
      "long long": BigInt64Array,
      ulonglong: BigUint64Array,
      float: Float32Array,
      double: Float64Array,
    } as const;
    for (const [type, TypedArray] of Object.entries(types)) {
      const isBig = TypedArray === BigInt64Array || TypedArray === BigUint64Array;
      // Both kinds of arrays take what is made for them.
      const array = (TypedArray as unknown as { from(values: readonly unknown[]): Uint8Array }).from(
        counted.map((value) => (isBig ? BigInt(value) : value)),
      );
      const little = Buffer.from(array.buffer.slice(0));
      const big = Buffer.concat(
        Array.from({ length: 24 }, (_, n) => Buffer.from(little.subarray(n * array.BYTES_PER_ELEMENT, (n + 1) * array.BYTES_PER_ELEMENT)).reverse()),
      );
      for (const endian of ["little", "big"] as const) {
        for (const encoding of ["raw", "gzip"] as const) {
          const bytes = endian === "little" ? little : big;
          const fields = { type, ...place, space: "RAS", endian };
          writeFileSync(at("one.nrrd"), nrrdBytes(fields, bytes, encoding));
          writeFileSync(at("pair.raw"), Buffer.concat([Buffer.from("a line\nxy"), encoding === "gzip" ? Buffer.alloc(0) : bytes]));
          expect((await voxelsOf(at("one.nrrd"))).values, `${type} ${endian} ${encoding}`).toEqual(counted);
          if (encoding === "gzip")
            writeFileSync(at("pair.raw"), Buffer.concat([Buffer.from("a line\n"), gzipSync(Buffer.concat([Buffer.from("xy"), bytes]))]));
          writeFileSync(at("pair.nhdr"), nrrdBytes({ ...fields, "line skip": "1", "byte skip": "2", "data file": "pair.raw" }, new Uint8Array(0)));
          if (encoding === "gzip")
            writeFileSync(
              at("pair.nhdr"),
              String(nrrdBytes({ ...fields, "line skip": "1", "byte skip": "2", "data file": "pair.raw" }, new Uint8Array(0))).replace(
                "encoding: raw",
                "encoding: gzip",
              ),
            );
          expect((await voxelsOf(at("pair.nhdr"))).values, `${type} ${endian} ${encoding} detached`).toEqual(counted);
        }
      }
    }
    expect(await filesOfVolume(at("pair.nhdr"))).toEqual([at("pair.nhdr"), at("pair.raw")]);
  });

  it("has channels along the axis that is none of space", async () => {
    const planes = Uint8Array.from({ length: 48 }, (_, n) => n);
    const four = { type: "uchar", dimension: "4", space: "RAS", "space origin": "(0,0,0)" };
    writeFileSync(at("first.nrrd"), nrrdBytes({ ...four, sizes: "2 4 3 2", "space directions": "none (1,0,0) (0,1,0) (0,0,1)" }, planes));
    writeFileSync(at("last.nrrd"), nrrdBytes({ ...four, sizes: "4 3 2 2", "space directions": "(1,0,0) (0,1,0) (0,0,1) none" }, planes));
    expect((await voxelsOf(at("first.nrrd"))).values).toEqual([...planes]);
    expect((await voxelsOf(at("last.nrrd"))).values).toEqual([...planes].map((_, n) => (n >> 1) + 24 * (n & 1)));
    writeFileSync(at("rgb.nrrd"), nrrdBytes({ type: "uchar", dimension: "3", sizes: "3 4 4", kinds: "RGB-color domain domain" }, planes));
    expect((await readHeader(at("rgb.nrrd"))).shape).toEqual([1, 4, 4, 3]);
  });

  it("of which parts are read where nothing is compressed", async () => {
    writeFileSync(
      at("part.nrrd"),
      nrrdBytes({ type: "short", ...place, space: "left-posterior-superior", endian: "little" }, new Uint8Array(Int16Array.from(counted).buffer)),
    );
    const header = await readHeader(at("part.nrrd"));
    const part = new Float32Array(2);
    new FileVolume([header], "float32").readRegion([1, 0, 0], [1, 1, 2], part);
    expect([...part]).toEqual([123, 122]);
  });

  it.each([
    ["an unknown type", { type: "block" }, "ERR_HEADER", 'type must be an integer or float type of 8 to 64 bits, got "block"'],
    ["no byte order", { endian: "" }, "ERR_HEADER", 'endian must be "little" or "big", got ""'],
    ["extents that are none", { sizes: "4 -3 2" }, "ERR_HEADER", 'sizes must be 3 integers of at least 1, got "4 -3 2"'],
    ["directions without volume", { "space directions": "(1,0,0) (1,0,0) (0,0,1)" }, "ERR_HEADER", "the space directions must be invertible"],
    ["several files", { "data file": "LIST" }, "ERR_FORMAT", 'data file must be one file, got "LIST"'],
    ["more voxels than there are", { sizes: "4 3 200000000" }, "ERR_TRUNCATED", "for its header and 4x3x200000000 int16 voxels, got "],
  ])("refuses %s", async (_, change, code, message) => {
    writeFileSync(at("bad.nrrd"), nrrdBytes({ type: "short", ...place, space: "RAS", endian: "little", ...change }, new Uint8Array(48)));
    await expect(readHeader(at("bad.nrrd"))).rejects.toMatchObject({ code, where: at("bad.nrrd"), message: expect.stringContaining(message) });
  });

  it("refuses other encodings and other files", async () => {
    writeFileSync(at("text.nrrd"), String(nrrdBytes({ type: "uchar", ...place }, new Uint8Array(24))).replace("encoding: raw", "encoding: ascii"));
    await expect(readHeader(at("text.nrrd"))).rejects.toThrow('encoding must be raw or gzip, got "ascii"');
    writeFileSync(at("other.nrrd"), "something else entirely");
    await expect(readHeader(at("other.nrrd"))).rejects.toMatchObject({
      code: "ERR_FORMAT",
      message: expect.stringContaining("must begin as NRRD files do, got first bytes 736f6d65"),
    });
  });
});
