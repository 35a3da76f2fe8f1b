import { chmodSync, mkdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import type { ErrorCode } from "../../src/core/error-codes.js";
import { isVoxError } from "../../src/core/errors.js";
import { elementCount } from "../../src/core/shape.js";
import { readCase, readCaseHeader, readHeader, readLabel, readVolume } from "../../src/io/index.js";
import { niftiBytes } from "./nifti-bytes.js";
import { scratchFolder } from "./scratch-folder.js";

const CLASSES = ["background", "kidney", "tumor"];

/** Every way in which a file is known to be bad, with the exact message; the same with and without the addon. */
export function badFilesSuite(): void {
  const { root, put } = scratchFolder();

  const readAll = async (path: string): Promise<Float32Array> => {
    const header = await readHeader(path);
    const target = new Float32Array(elementCount(header.shape));
    readVolume(header, target);
    return target;
  };
  const labelsOf = async (path: string, classes?: readonly string[]): Promise<number[]> => {
    const header = await readHeader(path);
    return readLabel(header, new Uint8Array(elementCount(header.shape)), classes ? { classes } : {});
  };
  const expectError = async (run: Promise<unknown>, code: ErrorCode, message: string): Promise<void> => {
    const error = await run.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(isVoxError(error) && { code: error.code, message: error.message }).toEqual({ code, message });
  };
  const volume = niftiBytes({ shape: [20, 20, 20], values: Array.from({ length: 8000 }, (_, n) => (n * 7919) % 4096) });

  it("text under a volume's name", async () => {
    const path = put("text.nii", "no volume ".repeat(100));
    await expectError(readAll(path), "ERR_FORMAT", `${path}: the file must be NIfTI-1 or NIfTI-2, got first bytes 6e6f20766f6c756d`);
    const packed = put("text.nii.gz", gzipSync("short"));
    await expectError(readAll(packed), "ERR_FORMAT", `${packed}: the file must be NIfTI-1 or NIfTI-2, which takes at least 348 bytes, got 5 bytes`);
    const named = put("plain.nii.gz", volume);
    expect((await readAll(named)).length).toBe(8000);
  });

  it("a gzip file that ends too early", async () => {
    const bytes = gzipSync(volume);
    for (const length of [bytes.length - 1, bytes.length - 9, bytes.length >> 1, 3000]) {
      const path = put("cut.nii.gz", bytes.subarray(0, length));
      await expectError(readAll(path), "ERR_TRUNCATED", `${path}: the gzip data must be complete, got the end of the file in the middle of it`);
    }
    const path = put("cut.nii.gz", bytes.subarray(0, 60));
    await expect(readHeader(path)).rejects.toThrow("the file must be NIfTI-1 or NIfTI-2, which takes at least 348 bytes");
  });

  it("a gzip file that is cut between reading its header and its voxels", async () => {
    const path = put("shrunk.nii.gz", gzipSync(volume));
    const header = await readHeader(path);
    truncateSync(path, 4000);
    const message = `${path}: the gzip data must be complete, got the end of the file in the middle of it`;
    expect(() => readVolume(header, new Float32Array(8000))).toThrow(message);
  });

  it("a gzip file with a wrong checksum or length", async () => {
    const bytes = gzipSync(volume);
    const changed = (at: number, value: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy[copy.length + at] = value;
      return copy;
    };
    const path = put("crc.nii.gz", changed(-8, bytes[bytes.length - 8]! ^ 1));
    await expectError(readAll(path), "ERR_CHECKSUM", `${path}: the gzip checksum (CRC-32) must fit the data, got another one`);
    const longer = put("long.nii.gz", changed(-1, 1));
    await expectError(readAll(longer), "ERR_CHECKSUM", `${longer}: the gzip length field must fit the data, got another one`);
    const shorter = put("short.nii.gz", changed(-4, 0));
    await expectError(readAll(shorter), "ERR_CHECKSUM", `${shorter}: the gzip length field must fit the data, got another one`);
  });

  it("bytes behind the gzip data, which are ignored, also behind several members; another member that is damaged is not", async () => {
    const members = [gzipSync(volume.subarray(0, 5000)), gzipSync(volume.subarray(5000))];
    const named = Buffer.concat([
      members[1]!.subarray(0, 3),
      Buffer.from([8]),
      members[1]!.subarray(4, 10),
      Buffer.from("scan.nii\0"),
      members[1]!.subarray(10),
    ]);
    const expected = await readAll(put("whole.nii", volume));
    for (const tail of ["\0\0\0\0", "left behind by some tool", "x"]) {
      for (const parts of [[gzipSync(volume)], members, [members[0]!, named]]) {
        expect(await readAll(put("tail.nii.gz", Buffer.concat([...parts, Buffer.from(tail)])))).toEqual(expected);
      }
    }
    const damaged = Buffer.from(members[1]!);
    damaged[damaged.length - 6]! ^= 1;
    const path = put("damaged.nii.gz", Buffer.concat([members[0]!, damaged, Buffer.from("tail")]));
    await expectError(readAll(path), "ERR_CHECKSUM", `${path}: the gzip checksum (CRC-32) must fit the data, got another one`);
    const short = put("short.nii.gz", Buffer.concat([members[0]!, Buffer.from("tail")]));
    await expectError(readAll(short), "ERR_TRUNCATED", `${short}: the file must have 16352 bytes for its header and voxels, got 5000`);
  });

  it("colors, complex numbers and other voxels that are not one real number", async () => {
    for (const [code, name] of [
      [128, "RGB24"],
      [2304, "RGBA32"],
      [32, "complex64"],
      [1536, "float128"],
    ] as const) {
      const path = put(`${name}.nii`, niftiBytes({ shape: [2, 2, 2], datatype: code }));
      await expect(readHeader(path)).rejects.toMatchObject({ code: "ERR_HEADER", message: expect.stringContaining(`got ${name} (code ${code})`) });
    }
  });

  it("a gzip file with damaged data", async () => {
    const bytes = gzipSync(volume);
    const header = await readHeader(put("whole.nii.gz", bytes));
    bytes.fill(0xff, 5000, 5100);
    put("whole.nii.gz", bytes);
    let thrown: unknown;
    try {
      readVolume(header, new Float32Array(8000));
    } catch (error) {
      thrown = error;
    }
    expect(isVoxError(thrown) && ["ERR_FORMAT", "ERR_CHECKSUM"].includes(thrown.code)).toBe(true);
    expect(String(thrown)).toContain(header.path);
  });

  it("a plain file that ends too early", async () => {
    const path = put("cut.nii", volume.subarray(0, 16000));
    await expectError(readAll(path), "ERR_TRUNCATED", `${path}: the file must have 16352 bytes for its header and 20x20x20 int16 voxels, got 16000`);
    const shrunk = put("shrunk.nii", volume);
    const header = await readHeader(shrunk);
    truncateSync(shrunk, 1000);
    expect(() => readVolume(header, new Float32Array(8000))).toThrow(`${shrunk}: the file must have 16352 bytes for its header and voxels, got 1000`);
  });

  it("a header that announces more than the file can hold, before anything is allocated", async () => {
    const bytes = niftiBytes({ shape: [2, 2, 2], dim: [3, 30000, 30000, 30000, 1, 1, 1, 1] });
    const path = put("huge.nii", bytes);
    await expectError(
      readHeader(path),
      "ERR_TRUNCATED",
      `${path}: the file must have 54000000000352 bytes for its header and 30000x30000x30000 int16 voxels, got 368`,
    );
    const compressed = gzipSync(bytes);
    const packed = put("huge.nii.gz", compressed);
    await expectError(
      readHeader(packed),
      "ERR_TRUNCATED",
      `${packed}: the file must have 54000000000352 bytes for its header and 30000x30000x30000 int16 voxels, got at most ${compressed.length * 1032} (${compressed.length} compressed)`,
    );
    const modest = put("modest.nii.gz", gzipSync(niftiBytes({ shape: [2, 2, 2], dim: [3, 10, 10, 10, 1, 1, 1, 1] })));
    await expectError(
      readHeader(modest),
      "ERR_TRUNCATED",
      `${modest}: the file must have 2352 bytes for its header and 10x10x10 int16 voxels, got 368`,
    );
  });

  it("a small volume followed by a flood", async () => {
    const path = put("bomb.nii.gz", gzipSync(Buffer.concat([niftiBytes({ shape: [2, 2, 2] }), Buffer.alloc(66 * 1024 ** 2)]), { level: 1 }));
    await expectError(
      readAll(path),
      "ERR_FORMAT",
      `${path}: the file must hold little more than its 368 bytes of header and voxels, got over ${368 + 64 * 1024 ** 2} bytes`,
    );
  });

  it("no file, a folder, and a name of no known format", async () => {
    const missing = join(root, "missing.nii");
    await expectError(readHeader(missing), "ERR_READ", `${missing}: the file must be readable, got no such file or folder`);
    const folder = join(root, "folder.nii");
    mkdirSync(folder);
    await expectError(readHeader(folder), "ERR_READ", `${folder}: a volume must be a file, got a folder`);
    await expect(async () => readHeader("scan.webp")).rejects.toThrow("scan.webp: the file name must end in .nii.gz, .nii");
    const gone = put("gone.nii", volume);
    const header = await readHeader(gone);
    expect(() => readVolume({ ...header, path: missing }, new Float32Array(8000))).toThrow(
      `${missing}: the file must be readable, got no such file or folder`,
    );
  });

  it.skipIf(process.getuid?.() === 0)("a file without read permission", async () => {
    const path = put("locked.nii", volume);
    chmodSync(path, 0);
    await expectError(readHeader(path), "ERR_READ", `${path}: the file must be readable, got permission denied`);
  });

  it("voxels that are NaN or infinite, unless they are replaced", async () => {
    const values = [5, Number.NaN, -3, 4, Number.NEGATIVE_INFINITY, 6, Number.POSITIVE_INFINITY, 7];
    const path = put("nan.nii", niftiBytes({ shape: [2, 2, 2], dtype: "float32", values, srow: [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0] }));
    await expectError(
      readAll(path),
      "ERR_VALUES",
      `${path}: voxels must be finite, got 3 NaN or infinite of 8, the first at i=1 j=0 k=0; nonFinite: "replace" loads them as the smallest finite value`,
    );
    const target = new Float32Array(8);
    expect(readVolume(await readHeader(path), target, { nonFinite: "replace" })).toBe(3);
    expect([...target]).toEqual([-3, 5, 4, -3, 6, -3, 7, -3]);
    const wide = put("wide.nii", niftiBytes({ shape: [2, 1], dtype: "float64", values: [1, 1e300] }));
    await expect(readAll(wide)).rejects.toThrow("got 1 NaN or infinite of 2, the first at i=1 j=0 k=0");
    const all = put("all.nii", niftiBytes({ shape: [2, 1, 1, 2], dtype: "float32", values: [1, 2, Number.NaN, Number.NaN] }));
    await expect(readAll(all)).rejects.toThrow("got 2 NaN or infinite of 4, the first at i=0 j=0 k=0 channel 1");
    const channels = new Float32Array(4);
    readVolume(await readHeader(all), channels, { nonFinite: "replace" });
    expect([...channels]).toEqual([1, 0, 2, 0]);
  });

  it("labels that are no integers, or do not fit", async () => {
    const path = put("half.nii", niftiBytes({ shape: [2, 2, 2], dtype: "float32", values: [0, 1, 0.5, 1, -1, 0.5, 300, Number.NaN] }));
    await expectError(
      labelsOf(path, CLASSES),
      "ERR_LABEL",
      `${path}: labels must be integers from 0 to 2, got -1, 0.5, 300, NaN in 5 of 8 voxels, the first at i=0 j=1 k=0`,
    );
    const scaled = put("scaled.nii", niftiBytes({ shape: [3, 1, 1], dtype: "uint8", values: [0, 127, 254], slope: Math.fround(1 / 127) }));
    expect(await labelsOf(scaled, CLASSES)).toEqual([0, 1, 2]);
  });

  it("labels outside the declared classes", async () => {
    const path = put("more.nii", niftiBytes({ shape: [2, 2, 2], dtype: "uint8", values: [0, 1, 2, 7, 0, 4, 7, 1] }));
    await expectError(
      labelsOf(path, CLASSES),
      "ERR_LABEL",
      `${path}: labels must be declared classes (0 background, 1 kidney, 2 tumor), got also 4, 7; declare them, or map labels with mapLabels`,
    );
    expect(await labelsOf(path)).toEqual([0, 1, 2, 4, 7]);
  });

  it("a label map with channels", async () => {
    const path = put("channels.nii", niftiBytes({ shape: [2, 2, 2, 2] }));
    await expectError(labelsOf(path), "ERR_HEADER", `${path}: a label map must have one channel, got 2`);
  });

  it("an image and a label of different shape or place", async () => {
    const image = put("image.nii", niftiBytes({ shape: [4, 5, 6] }));
    const label = put("other-shape.nii", niftiBytes({ shape: [4, 5, 7] }));
    const header = (path: string): Promise<unknown> => readCaseHeader({ id: "case_1", images: [image], label: path }, { classes: CLASSES });
    await expectError(
      header(label),
      "ERR_GEOMETRY",
      `${label}: the label must have the image's shape 6x5x4 (depth x height x width, ${image}), got 7x5x4 (sample case_1)`,
    );
    const moved = put("moved.nii", niftiBytes({ shape: [4, 5, 6], srow: [1, 0, 0, 0, 0, 1, 0, 0.5, 0, 0, 1, 0] }));
    await expectError(
      header(moved),
      "ERR_GEOMETRY",
      `${moved}: the label must lie where the image lies (${image}) within 0.05 mm, got corners 0.5 mm apart; image affine [1 0 0 0; 0 1 0 0; 0 0 1 0], label affine [1 0 0 0; 0 1 0 0.5; 0 0 1 0] (sample case_1)`,
    );
    // The same grid stored the other way around is the same grid.
    await header(put("flipped.nii", niftiBytes({ shape: [4, 5, 6], srow: [-1, 0, 0, 3, 0, 1, 0, 0, 0, 0, 1, 0] })));
    await header(put("rounded.nii", niftiBytes({ shape: [4, 5, 6], srow: [1.0001, 0, 0, 0, 0, 1, 0, 0.001, 0, 0, 1, 0] })));
  });

  it("channels that differ in place or number, and a label that is missing", async () => {
    const image = put("image.nii", niftiBytes({ shape: [4, 5, 6] }));
    const moved = put("moved.nii", niftiBytes({ shape: [4, 5, 6], srow: [1, 0, 0, 9, 0, 1, 0, 0, 0, 0, 1, 0] }));
    await expect(readCaseHeader({ id: "a", images: [image, moved] }, { classes: CLASSES })).rejects.toThrow(
      `${moved}: the channel must lie where the image lies`,
    );
    await expectError(
      readCaseHeader({ id: "a", images: [image, image] }, { classes: CLASSES, channels: 1 }),
      "ERR_SHAPE",
      `${image}: a case must have 1 channels as declared, got 2; set channels where the cases are declared (sample a)`,
    );
    await expectError(
      readCaseHeader({ id: "a", images: [image] }, { classes: CLASSES, needsLabel: true }),
      "ERR_LABEL",
      `${image}: a case must have a label file here, got none (sample a)`,
    );
    await expectError(
      readCaseHeader({ id: "a", images: [] }, { classes: CLASSES }),
      "ERR_DATA",
      "readCaseHeader: a case must have at least one image file, got none (sample a)",
    );
  });

  it("memory of another size", async () => {
    const path = put("image.nii", niftiBytes({ shape: [4, 5, 6] }));
    const header = await readHeader(path);
    expect(() => readVolume(header, new Float32Array(119))).toThrow(`${path}: the target must have 120 elements for 6x5x4x1, got 119`);
    expect(() => readLabel(header, new Uint8Array(121))).toThrow(`${path}: the target must have 120 elements for 6x5x4x1, got 121`);
    expect(() => readVolume(header, new Float32Array(120), { channels: { first: 1, of: 1 } })).toThrow(
      "readVolume: channels must be room for the 1 channels",
    );
    // @ts-expect-error a wrong option from JavaScript
    expect(() => readVolume(header, new Float32Array(120), { nonFinite: "ignore" })).toThrow(
      'readVolume: nonFinite must be "fail" or "replace", got "ignore"',
    );
  });

  it("reads a case of several files and a label, into shared memory", async () => {
    const images = [0, 100].map((add) =>
      put(`channel_${add}.nii.gz`, gzipSync(niftiBytes({ shape: [3, 2, 2], values: Array.from({ length: 12 }, (_, n) => n + add) }))),
    );
    const label = put("label.nii.gz", gzipSync(niftiBytes({ shape: [3, 2, 2], dtype: "uint8", values: [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2] })));
    const header = await readCaseHeader({ id: "a", images, label }, { classes: CLASSES, channels: 2, needsLabel: true });
    expect(header.shape).toEqual([2, 2, 3, 2]);
    const image = new Float32Array(new SharedArrayBuffer(24 * 4));
    const labels = new Uint8Array(new SharedArrayBuffer(12));
    expect(readCase(header, { image, label: labels }, { classes: CLASSES })).toBe(0);
    expect([...image]).toEqual(Array.from({ length: 24 }, (_, n) => (n >> 1) + 100 * (n & 1)));
    expect([...labels]).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
  });
}
