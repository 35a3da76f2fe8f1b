import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createCanvas } from "@napi-rs/canvas";
import { afterEach, expect, test, vi } from "vitest";
import { recordCaseSources } from "../../../src/core/record-case-sources.js";
import { startDashboard } from "../../../src/server/index.js";
import { someValues, writeSeries } from "../../io/dicom/fixture/write-series.js";
import { json } from "../fixture/open-dashboard.js";
import { RunWriter } from "../fixture/run-writer.js";
import { temporaryFolder } from "../fixture/temporary-folder.js";

const SHAPE = [5, 4, 3];
const VOXELS = Int16Array.from({ length: 60 }, (_, i) => i * 7 - 100);
const LABELS = Uint8Array.from({ length: 60 }, (_, i) => Number(i > 40) * 255);

function nrrd(data: Int16Array, fields = ""): Buffer {
  const head = `NRRD0004\ntype: short\ndimension: 3\nsizes: ${SHAPE.join(" ")}\nspace: right-anterior-superior\nspace directions: (2,0,0) (0,2,0) (0,0,3)\nspace origin: (0,0,0)\nendian: little\nencoding: raw\n${fields}\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(data.buffer)]);
}

function metaImage(data: Uint8Array): Buffer {
  const head = `ObjectType = Image\nNDims = 3\nDimSize = ${SHAPE.join(" ")}\nElementSpacing = 2 2 3\nOffset = 0 0 0\nTransformMatrix = -1 0 0 0 -1 0 0 0 1\nElementType = MET_UCHAR\nElementByteOrderMSB = False\nElementDataFile = LOCAL\n`;
  return Buffer.concat([Buffer.from(head), data]);
}

afterEach(() => vi.unstubAllEnvs());

async function setUp() {
  const root = temporaryFolder();
  const data = join(root, "data");
  const run = join(root, "runs", "first");
  mkdirSync(data);
  mkdirSync(join(root, "tmp"));
  vi.stubEnv("TMPDIR", join(root, "tmp"));
  const writer = new RunWriter({ folder: run });
  writer.start();
  const ids = ["nrrd", "series", "picture", "broken", "text", "large", "folder"];
  writeFileSync(join(run, "manifest.json"), JSON.stringify({ cases: { training: ids, validation: [] } }));
  const dashboard = await startDashboard({ runs: join(root, "runs"), pollMs: 20 });
  const get = async (path: string) => {
    const answer = await fetch(`${dashboard.url}api/runs/first/cases/${path}`);
    return { status: answer.status, tag: answer.headers.get("etag"), bytes: Buffer.from(await answer.arrayBuffer()) };
  };
  return { root, data, run, get, ...dashboard };
}

/** Shape and first values of a NIfTI file as it comes. */
function niftiOf(bytes: Buffer) {
  const file = gunzipSync(bytes);
  const shape = [1, 2, 3].map((axis) => file.readInt16LE(40 + 2 * axis));
  const count = shape[0]! * shape[1]! * shape[2]!;
  const type = file.readInt16LE(70);
  const at = file.readFloatLE(108);
  return {
    shape,
    type,
    spacing: [1, 2, 3].map((axis) => file.readFloatLE(76 + 4 * axis)),
    values: Array.from({ length: count }, (_, i) => (type === 4 ? file.readInt16LE(at + 2 * i) : file.readUInt8(at + i))),
  };
}

test("volumes of other formats come as NIfTI, once converted, and nothing is left behind", async () => {
  const { data, run, get, url, close } = await setUp();
  const [image, label] = [join(data, "a.nrrd"), join(data, "a.mha")];
  writeFileSync(image, nrrd(VOXELS));
  writeFileSync(label, metaImage(LABELS));
  recordCaseSources(run, [{ id: "nrrd", images: [image], label, reading: { labels: { 255: 1 } } }]);
  const { cases } = await json(`${url}api/runs/first/cases`);
  expect(cases.map(({ id, volumes }: any) => [id, volumes.image.isGzip, volumes.image.bytes > 120])).toEqual([["nrrd", true, true]]);
  const first = await get("nrrd/image");
  const found = niftiOf(first.bytes);
  expect(found).toEqual({ shape: SHAPE, type: 4, spacing: [2, 2, 3], values: [...VOXELS] });
  expect((await get("nrrd/image")).tag).toBe(first.tag);
  const map = niftiOf((await get("nrrd/label")).bytes);
  expect([map.type, map.values]).toEqual([2, [...LABELS].map((value) => Number(value > 0))]);
  await close();
  expect(readdirSync(tmpdir())).toEqual([]);
});

test("so do DICOM series and pictures", async () => {
  const { data, run, get, close } = await setUp();
  const series = join(data, "patient.1", "ct");
  writeSeries({ folder: series, shape: [6, 5, 4], stored: someValues([6, 5, 4]) });
  const canvas = createCanvas(6, 4);
  canvas.getContext("2d").fillRect(1, 1, 2, 2);
  const picture = join(data, "cell.png");
  writeFileSync(picture, canvas.toBuffer("image/png"));
  recordCaseSources(run, [
    { id: "series", images: [`${series}#dicom`] },
    { id: "picture", images: [picture], reading: { gray: true, spacing: [1, 2, 2] } },
  ]);
  const volume = niftiOf((await get("series/image")).bytes);
  expect(volume.shape).toEqual([6, 5, 4]);
  // Stored values and the rescale intercept of a CT.
  expect(volume.values.toSorted((a, b) => a - b)).toEqual(Array.from(someValues([6, 5, 4]), (value) => value - 1024).sort((a, b) => a - b));
  const { shape, spacing } = niftiOf((await get("picture/image")).bytes);
  expect(shape).toEqual([6, 4, 1]);
  expect(spacing.slice(0, 2)).toEqual([2, 2]);
  await close();
});

test("damaged, too large and foreign files are refused, without a word of what is in them", async () => {
  const { root, data, run, get, close } = await setUp();
  const put = (name: string, content: Buffer | string) => {
    writeFileSync(join(data, name), content);
    return join(data, name);
  };
  mkdirSync(join(data, "plain"));
  writeFileSync(join(data, "plain", "notes"), "a secret of no format at all".repeat(20));
  recordCaseSources(run, [
    { id: "broken", images: [put("b.nrrd", nrrd(VOXELS).subarray(0, 200))] },
    { id: "text", images: [put("c.png", "a secret that is no picture")] },
    // 4 TB as its header has it.
    { id: "large", images: [put("d.nrrd", nrrd(VOXELS).toString("latin1").replace("5 4 3", "10000 10000 10000"))] },
    { id: "folder", images: [join(data, "plain")] },
  ]);
  for (const [id, status] of [
    ["broken", [422]],
    ["text", [422]],
    ["large", [413, 422]],
    ["folder", [404]],
  ] as const) {
    const answer = await get(`${id}/image`);
    expect(status, id).toContain(answer.status);
    expect(answer.bytes.toString(), id).not.toContain("secret");
    expect(answer.bytes.toString(), id).not.toContain(root);
  }
  await close();
});
