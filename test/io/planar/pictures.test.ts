import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCanvas } from "@napi-rs/canvas";
import { describe, expect, it } from "vitest";
import { elementCount } from "../../../src/core/shape.js";
import { imageCases, loadCase, type ReadHeaderOptions, readHeader, readLabel, readVolume, writeVolume } from "../../../src/io/index.js";
import { pngBytes, tiffBytes } from "../format-bytes.js";
import { scratchFolder } from "../scratch-folder.js";

const { root, put } = scratchFolder();
const at = (name: string): string => join(root, name);

/** The values of a picture as it is looked at: rows from above, pixels from the left, channels. */
async function looked(path: string, options: ReadHeaderOptions = {}): Promise<{ readonly shape: readonly number[]; readonly values: number[] }> {
  const header = await readHeader(path, options);
  const [depth, height, width, channels] = header.shape;
  const values = new Float32Array(elementCount(header.shape));
  if (options.role === "label") {
    const labels = new Uint16Array(values.length);
    readLabel(header, labels);
    values.set(labels);
  } else readVolume(header, values);
  const upright: number[] = [];
  for (let z = 0; z < depth; z++)
    for (let y = height - 1; y >= 0; y--)
      for (let x = width - 1; x >= 0; x--) for (let c = 0; c < channels; c++) upright.push(values[((z * height + y) * width + x) * channels + c]!);
  return { shape: header.shape, values: upright };
}

const ramp = (count: number): number[] => Array.from({ length: count }, (_, n) => (n * 37 + 11) % 256);

describe("PNG", () => {
  it("has the stored values of every depth and type", async () => {
    put("g8.png", pngBytes({ width: 5, height: 6, bitDepth: 8, colorType: 0, rows: Uint8Array.from(ramp(30)) }));
    expect(await looked(at("g8.png"))).toEqual({ shape: [1, 6, 5, 1], values: ramp(30) });
    put("g16.png", pngBytes({ width: 2, height: 1, bitDepth: 16, colorType: 0, rows: Uint8Array.of(1, 2, 255, 254) }));
    expect((await looked(at("g16.png"))).values).toEqual([258, 65534]);
    put("g4.png", pngBytes({ width: 3, height: 2, bitDepth: 4, colorType: 0, rows: Uint8Array.of(0x1f, 0x70, 0x83, 0x20) }));
    expect((await looked(at("g4.png"))).values).toEqual([1, 15, 7, 8, 3, 2]);
    put("g1.png", pngBytes({ width: 9, height: 1, bitDepth: 1, colorType: 0, rows: Uint8Array.of(0b10110001, 0b10000000) }));
    expect((await looked(at("g1.png"))).values).toEqual([1, 0, 1, 1, 0, 0, 0, 1, 1]);
    put("rgba.png", pngBytes({ width: 2, height: 2, bitDepth: 8, colorType: 6, rows: Uint8Array.from(ramp(16)) }));
    expect(await looked(at("rgba.png"))).toEqual({ shape: [1, 2, 2, 3], values: ramp(16).filter((_, n) => n % 4 !== 3) });
  });

  it("of a palette has colors as an image, and numbers as a label map", async () => {
    const palette = Uint8Array.of(0, 0, 0, 10, 20, 30, 255, 254, 253);
    put("p.png", pngBytes({ width: 2, height: 2, bitDepth: 2, colorType: 3, rows: Uint8Array.of(0b01100000, 0b00010000), palette }));
    expect((await looked(at("p.png"))).values).toEqual([10, 20, 30, 255, 254, 253, 0, 0, 0, 10, 20, 30]);
    expect((await looked(at("p.png"), { role: "label" })).values).toEqual([1, 2, 0, 1]);
    put("q.png", pngBytes({ width: 1, height: 1, bitDepth: 8, colorType: 3, rows: Uint8Array.of(7), palette }));
    await expect(looked(at("q.png"))).rejects.toThrow("pixels must be numbers of the palette's 3 colors, got 7");
  });

  it("of three equal bands is gray, of three others only by its brightness", async () => {
    put("equal.png", pngBytes({ width: 2, height: 1, bitDepth: 8, colorType: 2, rows: Uint8Array.of(5, 5, 5, 9, 9, 9) }));
    expect(await looked(at("equal.png"), { channels: 1 })).toEqual({ shape: [1, 1, 2, 1], values: [5, 9] });
    put("color.png", pngBytes({ width: 2, height: 1, bitDepth: 8, colorType: 2, rows: Uint8Array.of(5, 5, 5, 255, 100, 7) }));
    await expect(looked(at("color.png"), { channels: 1 })).rejects.toMatchObject({
      code: "ERR_SHAPE",
      message: expect.stringContaining('got color at x=1 y=0; declare channels: 3, or read its brightness with color: "gray"'),
    });
    await expect(looked(at("color.png"), { channels: 1, role: "label" })).rejects.toThrow("got color at x=1 y=0; save the classes as numbers");
    // 0.299 * 255 + 0.587 * 100 + 0.114 * 7 is 135.7.
    expect((await looked(at("color.png"), { channels: 1, gray: true })).values).toEqual([5, 136]);
    expect(await looked(at("g8.png"), { channels: 3 })).toEqual({ shape: [1, 6, 5, 3], values: ramp(30).flatMap((value) => [value, value, value]) });
  });

  it("that is cut, changed or no PNG is named with the reason", async () => {
    const whole = pngBytes({ width: 50, height: 60, bitDepth: 8, colorType: 0, rows: Uint8Array.from({ length: 3000 }, (_, n) => (n * n) % 251) });
    put("cut.png", whole.subarray(0, whole.length - 40));
    await expect(looked(at("cut.png"))).rejects.toMatchObject({ code: "ERR_TRUNCATED", where: at("cut.png") });
    const changed = Buffer.from(whole);
    changed[whole.length - 40]! ^= 4;
    put("changed.png", changed);
    await expect(looked(at("changed.png"))).rejects.toMatchObject({ code: "ERR_CHECKSUM", message: expect.stringContaining("of the IDAT chunk") });
    put("no.png", "not a picture");
    await expect(looked(at("no.png"))).rejects.toMatchObject({ code: "ERR_FORMAT" });
    put("huge.png", pngBytes({ width: 2, height: 1, bitDepth: 8, colorType: 0, rows: Uint8Array.of(1, 2), announced: [2e9, 2e9] }));
    await expect(looked(at("huge.png"))).rejects.toMatchObject({ code: "ERR_TRUNCATED" });
  });

  it("is written with the classes as values, and read back", async () => {
    for (const top of [3, 300]) {
      const { source, shape } = await readHeader(at("g8.png"));
      const labels = Uint16Array.from({ length: 30 }, (_, n) => (n * 11) % (top + 1));
      await writeVolume(at("out.png"), labels, shape, source, { kind: "label" });
      const header = await readHeader(at("out.png"), { role: "label" });
      const back = new Uint16Array(30);
      readLabel(header, back);
      expect([...back]).toEqual([...labels]);
      expect(header.dtype).toBe(top > 255 ? "uint16" : "uint8");
    }
    const { source, shape } = await readHeader(at("g8.png"));
    await expect(writeVolume(at("f.png"), new Float32Array(30), shape, source, { kind: "float" })).rejects.toThrow(
      "a PNG file must hold a label map, got float",
    );
  });
});

describe("TIFF", () => {
  it("has signed and unsigned integers and floats", async () => {
    for (const [TypedArray, format] of [
      [Int16Array, 2],
      [Uint32Array, 1],
      [Int32Array, 2],
      [Float32Array, 3],
      [Float64Array, 3],
    ] as const) {
      const values = TypedArray.from(
        [1, -2, 300, 40000, 5, 6].map((value) => (format === 1 ? Math.abs(value) : TypedArray === Int16Array ? value % 30000 : value)),
      );
      for (const deflate of [false, true]) {
        put("t.tif", tiffBytes({ width: 3, height: 2, pages: [new Uint8Array(values.buffer)], bits: 8 * values.BYTES_PER_ELEMENT, format, deflate }));
        expect((await looked(at("t.tif"))).values).toEqual([...values]);
      }
    }
  });

  it("of several pages is a volume, whose pages grow to Superior", async () => {
    const pages = [0, 1, 2].map((page) => Uint8Array.from([10, 11, 12, 13], (value) => value + 10 * page));
    put("stack.tif", tiffBytes({ width: 2, height: 2, pages, bits: 8, resolution: 100 }));
    const header = await readHeader(at("stack.tif"));
    expect(header.shape).toEqual([3, 2, 2, 1]);
    expect(header.source.dimensions).toBe(3);
    expect([...header.geometry.spacing]).toEqual([1, 0.1, 0.1]);
    expect((await looked(at("stack.tif"))).values).toEqual(pages.flatMap((page) => [...page]));
    expect([...(await readHeader(at("stack.tif"), { spacing: [3, 2, 1] })).geometry.spacing]).toEqual([3, 2, 1]);
  });

  it("of ImageJ has channels and slices as it says", async () => {
    const description = "ImageJ=1.53\nimages=4\nchannels=2\nslices=2\nspacing=2.5\nunit=mm\n";
    put("ij.tif", tiffBytes({ width: 1, height: 1, pages: [1, 2, 3, 4].map((value) => Uint8Array.of(value)), bits: 8, description, resolution: 4 }));
    const { shape, geometry } = await readHeader(at("ij.tif"));
    expect(shape).toEqual([2, 1, 1, 2]);
    expect([...geometry.spacing]).toEqual([2.5, 0.25, 0.25]);
    expect((await looked(at("ij.tif"))).values).toEqual([1, 2, 3, 4]);
  });

  it("whose pages run in a circle, differ, or announce more than there is, is refused", async () => {
    const circle = tiffBytes({ width: 1, height: 1, pages: [Uint8Array.of(1)], bits: 8 });
    circle.writeUInt32LE(circle.readUInt32LE(4), circle.length - 4);
    put("circle.tif", circle);
    await expect(readHeader(at("circle.tif"))).rejects.toMatchObject({
      code: "ERR_FORMAT",
      message: expect.stringContaining("pages must follow each other to an end"),
    });
    put("large.tif", tiffBytes({ width: 60000, height: 60000, pages: [Uint8Array.of(1)], bits: 8 }));
    await expect(readHeader(at("large.tif"))).rejects.toMatchObject({ code: "ERR_TRUNCATED" });
    put("half.tif", tiffBytes({ width: 1, height: 1, pages: [Uint8Array.of(1, 2)], bits: 16, format: 3 }));
    await expect(readHeader(at("half.tif"))).rejects.toThrow(
      "samples must be integers of 1, 2, 4, 8, 16, 32 or 64 bits or floats of 32 or 64, got 16 bits of format 3",
    );
    const many = tiffBytes({ width: 1, height: 1, pages: [Buffer.alloc(1000)], bits: 8 });
    // The bits of each sample: 300 of them, wherever they lie.
    const entry = many.indexOf(Buffer.from([2, 1, 3, 0, 1, 0, 0, 0]));
    many.writeUInt32LE(300, entry + 4);
    many.writeUInt32LE(8, entry + 8);
    put("many.tif", many);
    await expect(readHeader(at("many.tif"))).rejects.toThrow("tag 258 must have at most 256 values, got 300");
  });
});

describe("JPEG and GIF", () => {
  const canvas = createCanvas(40, 24);
  const context = canvas.getContext("2d");
  context.fillStyle = "#204060";
  context.fillRect(0, 0, 40, 24);
  context.fillStyle = "#c0c0c0";
  context.fillRect(8, 8, 16, 8);

  it("JPEG has its colors, and is no label map", async () => {
    put("a.jpg", canvas.encodeSync("jpeg", 100));
    const { shape, values } = await looked(at("a.jpg"));
    expect(shape).toEqual([1, 24, 40, 3]);
    const pixel = (x: number, y: number): number[] => values.slice((y * 40 + x) * 3, (y * 40 + x) * 3 + 3);
    for (const [n, value] of [0x20, 0x40, 0x60].entries()) expect(Math.abs(pixel(36, 20)[n]! - value)).toBeLessThan(4);
    for (const value of pixel(15, 11)) expect(Math.abs(value - 0xc0)).toBeLessThan(4);
    await expect(readHeader(at("a.jpg"), { role: "label" })).rejects.toMatchObject({
      code: "ERR_FORMAT",
      message: expect.stringContaining("a label map must be stored without loss, as PNG or TIFF, got JPEG"),
    });
  });

  it("GIF has the colors of its first picture, and their numbers as a label map", async () => {
    // 2 x 2 pixels of 4 colors: codes clear 0 1 2 3 end, of 3 bits and the last two of 4, where 4 is clear and 5 the end.
    const colors = [0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 8, 7];
    const bits = [4, 0, 1, 2].reduce((sum, code, n) => sum + code * 8 ** n, 0) + 8 ** 4 * 3 + 16 * 8 ** 4 * 5;
    put(
      "a.gif",
      Buffer.from([
        ...Buffer.from("GIF89a"),
        2,
        0,
        2,
        0,
        0x81,
        0,
        0,
        ...colors,
        0x2c,
        0,
        0,
        0,
        0,
        2,
        0,
        2,
        0,
        0,
        2,
        3,
        bits & 255,
        (bits >> 8) & 255,
        bits >> 16,
        0,
        0x3b,
      ]),
    );
    expect((await looked(at("a.gif"), { role: "label" })).values).toEqual([0, 1, 2, 3]);
    expect((await looked(at("a.gif"))).values).toEqual(colors);
  });
});

describe("cases of pictures", () => {
  const gray = (values: readonly number[]): Buffer => pngBytes({ width: 2, height: 2, bitDepth: 8, colorType: 0, rows: Uint8Array.from(values) });
  const color = pngBytes({ width: 2, height: 2, bitDepth: 8, colorType: 2, rows: Uint8Array.from(ramp(12)) });

  it("lie in folders of images and masks, in KiTS folders, as nnU-Net has them, or in a manifest", async () => {
    for (const name of ["a", "b"]) {
      put(`folders/images/${name}.png`, gray([1, 2, 3, 4]));
      put(`folders/masks/${name}_mask.png`, gray([0, 1, 1, 0]));
      put(`kits/${name}/imaging.png`, gray([1, 2, 3, 4]));
      put(`kits/${name}/segmentation.png`, gray([0, 1, 1, 0]));
      put(`nnunet/imagesTr/${name}_0000.png`, gray([1, 2, 3, 4]));
      put(`nnunet/labelsTr/${name}.png`, gray([0, 1, 1, 0]));
    }
    put("cases.csv", "id,image,label\na,folders/images/a.png,folders/masks/a_mask.png\nb,folders/images/b.png,\n");
    for (const place of ["folders", "kits", "nnunet", "cases.csv"]) {
      const data = imageCases({ root: at(place), classes: ["background", "cell"] });
      const refs = await data.list();
      expect(refs.map(({ id }) => id)).toEqual(["a", "b"]);
      expect(data.channels).toBe(1);
      expect([...(await loadCase(data, refs[0]!)).label!]).toEqual([0, 1, 1, 0]);
    }
  });

  it("and labels are found whatever the case of letters of their endings, and may be of another format than the image", async () => {
    put("letters/images/a.PNG", gray([1, 2, 3, 4]));
    put("letters/masks/a_mask.PNG", gray([0, 1, 1, 0]));
    put("letters/images/b.png", gray([1, 2, 3, 4]));
    put("letters/masks/b.TIF", tiffBytes({ width: 2, height: 2, pages: [Uint8Array.of(0, 1, 1, 0)], bits: 8 }));
    const data = imageCases({ root: at("letters"), classes: ["background", "cell"] });
    for (const ref of await data.list()) expect([...(await loadCase(data, ref)).label!]).toEqual([0, 1, 1, 0]);
    expect(() => imageCases({ root: at("letters"), classes: ["a", "b"], labels: { "0255": 1 } })).toThrow(
      "imageCases: labels must be classes by stored value",
    );
  });

  it("have three channels when the first one is of color", () => {
    put("rgb/images/a.png", color);
    expect(imageCases({ root: at("rgb"), classes: ["a", "b"] }).channels).toBe(3);
    expect(imageCases({ root: at("rgb"), classes: ["a", "b"], color: "gray" }).channels).toBe(1);
  });

  it("with masks of 0 and 255 say what to do, and are read when it is done", async () => {
    put("shown/images/a.png", gray([1, 2, 3, 4]));
    put("shown/masks/a.png", gray([0, 255, 0, 255]));
    const classes = ["background", "cell"];
    const wrong = imageCases({ root: at("shown"), classes });
    const [ref] = await wrong.list();
    await expect(loadCase(wrong, ref!, { classes })).rejects.toMatchObject({
      code: "ERR_LABEL",
      message: expect.stringContaining("a mask of 0 and 255 is read with labels: { 255: 1 } where the cases are declared (--map-labels 255=1)"),
    });
    const right = imageCases({ root: at("shown"), classes, labels: { 255: 1 } });
    expect([...(await loadCase(right, (await right.list())[0]!, { classes })).label!]).toEqual([1, 0, 1, 0]);
    expect(() => imageCases({ root: at("shown"), classes, labels: { 255: 2 } })).toThrow("imageCases: labels must be classes from 0 to 1");
  });

  it("count where no volumes lie beside them", async () => {
    put("beside/imaging.png", gray([1, 2, 3, 4]));
    writeFileSync(at("beside/imaging.mha"), "anything");
    const [ref] = await imageCases({ root: at("beside"), classes: ["a", "b"] }).list();
    expect(ref!.images).toEqual([at("beside/imaging.mha")]);
  });
});
