import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../../src/core/shape.js";
import { filesOfVolume, readHeader, readVolume } from "../../../src/io/index.js";
import { metaBytes } from "../format-bytes.js";
import { scratchFolder } from "../scratch-folder.js";

const { root } = scratchFolder();
const at = (name: string): string => join(root, name);
const counted = Array.from({ length: 24 }, (_, n) => (n % 4) + 10 * (Math.floor(n / 4) % 3) + 100 * Math.floor(n / 12));
const place = { NDims: "3", DimSize: "4 3 2", ElementSpacing: "2 3 5", Offset: "10 20 30" };
const bytes = (): Uint8Array => new Uint8Array(Int16Array.from(counted).buffer);

async function voxelsOf(path: string): Promise<{ readonly affine: readonly number[]; readonly values: number[]; readonly orientation: string }> {
  const header = await readHeader(path);
  const values = new Float32Array(elementCount(header.shape));
  readVolume(header, values);
  return { affine: header.geometry.affine, values: [...values], orientation: header.source.orientation };
}

describe("MetaImage", () => {
  it("lies in LPS, plain or compressed", async () => {
    for (const isCompressed of [false, true]) {
      writeFileSync(at("a.mha"), metaBytes({ ...place, ElementType: "MET_SHORT" }, bytes(), isCompressed));
      const { affine, values, orientation } = await voxelsOf(at("a.mha"));
      expect(orientation).toBe("LPS");
      expect(values.slice(0, 4)).toEqual([23, 22, 21, 20]);
      expect(affine).toEqual([2, 0, 0, -16, 0, 3, 0, -26, 0, 0, 5, 30, 0, 0, 0, 1]);
    }
  });

  it("whose header is a megabyte of empty lines is refused at once", async () => {
    writeFileSync(at("lines.mha"), `NDims = 3\n${"\n".repeat(2 ** 20)}`);
    await expect(readHeader(at("lines.mha"))).rejects.toThrow("the MetaImage header must end within 1048576 bytes, got more");
  });

  it("has the directions of its axes in the rows of TransformMatrix", async () => {
    // The first axis runs to Superior, the second to Left, the third to Posterior.
    writeFileSync(at("b.mha"), metaBytes({ ...place, TransformMatrix: "0 0 1 1 0 0 0 1 0", ElementType: "MET_SHORT" }, bytes()));
    const { affine, values, orientation } = await voxelsOf(at("b.mha"));
    expect(orientation).toBe("SLP");
    expect(affine).toEqual([3, 0, 0, -16, 0, 5, 0, -25, 0, 0, 2, 30, 0, 0, 0, 1]);
    // [z, y, x] is [i, 1 - k, 2 - j].
    expect(values.slice(0, 6)).toEqual([120, 110, 100, 20, 10, 0]);
  });

  it("has voxels in a file of their own, in the other byte order, at its end or behind some bytes", async () => {
    const swapped = Buffer.from(bytes()).swap16();
    const header = (more: string): string =>
      `NDims = 3\nDimSize = 4 3 2\nElementType = MET_SHORT\nElementByteOrderMSB = True\n${more}ElementDataFile = c.raw\n`;
    for (const [size, content] of [
      ["HeaderSize = 5\n", Buffer.concat([Buffer.alloc(5), swapped])],
      ["HeaderSize = -1\n", Buffer.concat([Buffer.alloc(77), swapped])],
      ["", swapped],
    ] as const) {
      writeFileSync(at("c.raw"), content);
      writeFileSync(at("c.mhd"), header(size));
      expect((await voxelsOf(at("c.mhd"))).values.slice(0, 4)).toEqual([23, 22, 21, 20]);
    }
    expect(await filesOfVolume(at("c.mhd"))).toEqual([at("c.mhd"), at("c.raw")]);
  });

  it("has interleaved channels", async () => {
    const fields = { NDims: "2", DimSize: "2 2", ElementNumberOfChannels: "3", ElementType: "MET_UCHAR" };
    writeFileSync(
      at("d.mha"),
      metaBytes(
        fields,
        Uint8Array.from({ length: 12 }, (_, n) => n),
      ),
    );
    expect((await readHeader(at("d.mha"))).shape).toEqual([1, 2, 2, 3]);
    expect((await voxelsOf(at("d.mha"))).values).toEqual([9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2]);
  });

  it.each([
    ["text", { BinaryData: "False" }, "ERR_FORMAT", 'BinaryData must be True, got "False"'],
    ["types of several numbers", { ElementType: "MET_FLOAT_ARRAY" }, "ERR_HEADER", "ElementType must be one of MET_CHAR"],
    ["voxels without a size", { ElementSpacing: "1 0 1" }, "ERR_HEADER", 'ElementSpacing must be 3 numbers above 0, got "1 0 1"'],
    ["a flat matrix", { TransformMatrix: "1 0 0 1 0 0 0 0 1" }, "ERR_HEADER", "the TransformMatrix must be invertible"],
    ["more voxels than there are", { DimSize: "4 3 2000000" }, "ERR_TRUNCATED", "4x3x2000000 int16 voxels, got "],
  ])("refuses %s", async (_, change, code, message) => {
    writeFileSync(at("bad.mha"), metaBytes({ ...place, ElementType: "MET_SHORT", ...change }, bytes()));
    await expect(readHeader(at("bad.mha"))).rejects.toMatchObject({ code, where: at("bad.mha"), message: expect.stringContaining(message) });
  });

  it("finds out that a zlib stream is shorter than it says, and names a checksum that does not fit", async () => {
    writeFileSync(at("lie.mha"), metaBytes({ ...place, DimSize: "400 3 2", ElementType: "MET_SHORT" }, bytes(), true));
    await expect(readHeader(at("lie.mha"))).rejects.toMatchObject({ code: "ERR_TRUNCATED" });
    const whole = metaBytes({ ...place, ElementType: "MET_SHORT" }, bytes(), true);
    whole[whole.length - 1]! ^= 1;
    writeFileSync(at("sum.mha"), whole);
    const header = await readHeader(at("sum.mha"));
    expect(() => readVolume(header, new Float32Array(24))).toThrow("the zlib checksum (Adler-32) must fit the data, got another one");
  });
});
