import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isVoxError } from "../../../src/core/errors.js";
import { Random } from "../../../src/core/random.js";
import { elementCount } from "../../../src/core/shape.js";
import { dicomAddress } from "../../../src/io/dicom/dicom-address.js";
import { readHeader } from "../../../src/io/read-header.js";
import { readLabel } from "../../../src/io/read-label.js";
import { readVolume } from "../../../src/io/read-volume.js";
import { type DicomSyntax, dicomBytes } from "./fixture/dicom-bytes.js";
import { writeSegments, writeStructures } from "./fixture/write-labels.js";
import { someValues, writeSeries } from "./fixture/write-series.js";

/** More by hand: VOXSTREAM_FUZZ=5000. */
const MUTATIONS = Number(process.env.VOXSTREAM_FUZZ ?? 40);
/** A file of a few hundred bytes must not make anyone allocate more than this. */
const MOST_VOXELS = 2 ** 28;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-dicom-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function mutated(original: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(original);
  const kind = random.integer(0, 3);
  const at = 128 + random.integer(0, bytes.length - 140);
  if (kind === 0) return bytes.subarray(0, at);
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(random.integer(1, 40), random.integer(0, 255)), bytes.subarray(at)]);
  if (kind === 2) bytes.writeUInt32LE([0xffffffff, 0xfffffffe, 0x7fffffff, 0x10000, 0][random.integer(0, 4)]!, at);
  for (let n = random.integer(1, 6); n > 0; n--) bytes[128 + random.integer(0, bytes.length - 129)] = random.integer(0, 255);
  return bytes;
}

/** Reads what can be read; anything but a sound volume or an error of ours fails the test. */
async function attempt(path: string, address: string, isLabel: boolean): Promise<void> {
  try {
    const header = await readHeader(address);
    const voxels = elementCount(header.shape);
    expect(voxels).toBeLessThan(MOST_VOXELS);
    // What a lying header allocates is bounded above; filling it takes only time.
    if (voxels > 2 ** 22) return;
    if (isLabel) readLabel(header, new Uint8Array(voxels));
    else readVolume(header, new Float32Array(voxels), { nonFinite: "replace" });
  } catch (error) {
    if (!isVoxError(error)) writeFileSync(join(tmpdir(), "voxstream-dicom-fault.dcm"), readFileSync(path));
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(FORMAT|HEADER|TRUNCATED|GEOMETRY|EMPTY|DATA|LABEL|VALUES)$/) });
  }
}

describe("damaged DICOM files", () => {
  const syntaxes: DicomSyntax[] = ["implicit", "explicit", "big", "deflated", "rle", "jpegLs", "jpeg2000", "jpegLossless"];
  it.each(syntaxes)("of %s transfer syntax are errors or volumes, never anything else", { timeout: 600_000 }, async (syntax) => {
    const folder = join(root, syntax);
    const stored = someValues([6, 5, 1]).map((value) => (value + 1200) & 0xfff);
    const [path] = writeSeries({
      folder,
      shape: [6, 5, 1],
      stored,
      syntax,
      isOpen: true,
      isSigned: false,
      elements: () => ({ "00081140 SQ": [{ "00081155 UI": "1.2" }] }),
    });
    const original = readFileSync(path!);
    for (let n = 0; n < MUTATIONS; n++) {
      writeFileSync(path!, mutated(original, new Random(n, "damage", syntax)));
      await attempt(path!, folder, false);
    }
  });

  it("of structures and segments are errors or label maps", { timeout: 600_000 }, async () => {
    const images = join(root, "images");
    writeSeries({ folder: images, shape: [6, 5, 2], stored: someValues([6, 5, 2]) });
    const path = join(root, "label");
    const address = dicomAddress({ path, of: { path: images }, structures: { a: 1 } });
    writeStructures(path, [{ name: "a", contours: [[-10, -20, 30, -8, -20, 30, -8, -18, 30]] }], undefined, { isOpen: true });
    const structures = readFileSync(path);
    writeSegments(path, { segments: ["a"], shape: [6, 5], frames: [{ segment: 1, position: [-10, -20, 30], pixels: new Array(30).fill(1) }] });
    const segments = readFileSync(path);
    for (const [kind, original] of [structures, segments].entries()) {
      for (let n = 0; n < MUTATIONS; n++) {
        writeFileSync(path, mutated(original, new Random(n, "damage", String(kind))));
        await attempt(path, address, true);
      }
    }
  });

  it("cannot nest without end, nor announce more than they hold", async () => {
    const nested = (depth: number): Buffer => {
      const open = Buffer.concat(
        Array.from({ length: depth }, () => Buffer.from("08004011" + "5351" + "0000" + "ffffffff" + "feff00e0" + "ffffffff", "hex")),
      );
      return Buffer.concat([dicomBytes({ "00080005 CS": "ISO_IR 100" }), open]);
    };
    const path = join(root, "bomb.dcm");
    const fails = async (bytes: Buffer, code: string, message: string): Promise<void> => {
      writeFileSync(path, bytes);
      await expect(readHeader(path)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    };
    await fails(nested(100_000), "ERR_FORMAT", "sequences must be nested at most 16 deep, got more");
    await fails(nested(3), "ERR_TRUNCATED", "bytes for what its header announces");
    const huge = { "00080016 UI": "1.2.840.10008.5.1.4.1.1.2", "0020000e UI": "1.2", "00280010 US": 65535, "00280011 US": 65535, "00280100 US": 16 };
    await fails(
      dicomBytes({ ...huge, "7fe00010 OW": Buffer.alloc(60) }),
      "ERR_HEADER",
      "the pixel data must have 8589672450 bytes for 65535 x 65535 pixels, 1 frames of 1 x 16 bits, got 60",
    );
    await fails(
      dicomBytes({ ...huge, "7fe00010 OB": { fragments: [Buffer.alloc(60)] } }, { syntax: "jpeg2000" }),
      "ERR_TRUNCATED",
      "the compressed pixels must be enough for",
    );
    // The same megabyte of zeros again and again: blocks of deflate follow each other.
    const megabyte = deflateRawSync(Buffer.alloc(1024 ** 2), { finishFlush: constants.Z_FULL_FLUSH });
    const bomb = Buffer.concat([dicomBytes({}, { syntax: "deflated" }).subarray(0, -2), ...new Array<Buffer>(300).fill(megabyte)]);
    await fails(bomb, "ERR_FORMAT", "a deflated file must hold at most 268435456 bytes, got more");
  });
});
