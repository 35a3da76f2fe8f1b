import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDataSet } from "../../../src/cli/open-data-set.js";
import { dicomCases } from "../../../src/io/dicom/dicom-cases.js";
import { imageCases } from "../../../src/io/image-cases.js";
import { inspectCases } from "../../../src/io/inspect-cases.js";
import { loadCase } from "../../../src/io/load-case.js";
import { plainFolder } from "../../../src/io/plain-folder.js";
import { readHeader } from "../../../src/io/read-header.js";
import { verifyCases } from "../../../src/io/verify-cases.js";
import { writeVolume } from "../../../src/io/write-volume.js";
import { nrrdBytes, pngBytes } from "../format-bytes.js";
import { writeStructures } from "./fixture/write-labels.js";
import { someValues, writeSeries } from "./fixture/write-series.js";

const shape = [6, 5, 4] as const;
const classes = ["background", "lung", "heart"];
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "voxstream-dicom-"));
  for (const id of ["p2", "p1", "p3"]) writeSeries({ folder: join(root, id, "study", "series"), shape, stored: someValues(shape) });
  const contour = [-9.6, -19.5, 30, -8.5, -19.5, 30, -8.5, -17.5, 30, -9.6, -17.5, 30];
  writeStructures(join(root, "p1", "RS.dcm"), [
    { name: "Lung", contours: [contour] },
    { name: "Heart", contours: [] },
  ]);
  const { source, shape: canonical } = await readHeader(join(root, "p2"));
  await writeVolume(join(root, "p2", "label.nii.gz"), new Uint8Array(120).fill(2), canonical, source, { kind: "label" });
  mkdirSync(join(root, "empty"));
  writeFileSync(join(root, "readme.txt"), "cases");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("dicomCases", () => {
  it("has a case for each folder of DICOM files, with the label that lies there", async () => {
    const data = dicomCases({ root, classes });
    const cases = await data.list();
    expect(cases.map(({ id, label }) => [id, label?.replace(root, "")])).toEqual([
      ["p1", '/p1/RS.dcm#dicom={"of":{"path":""},"structures":{"lung":1,"heart":2}}'],
      ["p2", "/p2/label.nii.gz"],
      ["p3", undefined],
    ]);
    expect(cases[0]!.images).toEqual([`${join(root, "p1")}#dicom`]);
    const { label, image, orientation } = await loadCase(data, cases[0]!);
    expect(orientation).toBe("LPS");
    expect(image[0]).toBe(someValues(shape)[29]! - 1024);
    // Two columns by three rows, in the first slice; rows and columns are turned around.
    expect([...label!].flatMap((value, n) => (value === 1 ? [n] : []))).toEqual([9, 10, 15, 16, 21, 22]);
    expect((await loadCase(data, cases[1]!)).label!.every((value) => value === 2)).toBe(true);
  });

  it("takes labels by name, one structure or several, and the cases that are asked for", async () => {
    const data = dicomCases({ root, classes, structures: { Lung: 2, HEART: 2 }, pattern: "p1|p3" });
    const [first] = await data.list();
    expect([...(await loadCase(data, first!)).label!].filter((value) => value === 2)).toHaveLength(6);
    expect((await data.list()).map(({ id }) => id)).toEqual(["p1", "p3"]);
  });

  it("may take several series as channels", async () => {
    const folder = join(root, "..", `${root.split("/").at(-1)}-channels`);
    for (const [n, description] of ["t1", "t2"].entries()) {
      const elements = () => ({ "0008103e LO": description, "00281052 DS": 1000 * n });
      writeSeries({ folder: join(folder, "p1", description), shape, stored: someValues(shape), series: `1.2.${n}`, elements });
    }
    const data = dicomCases({ root: folder, classes, series: ["t2", /^T1/i] });
    expect(data.channels).toBe(2);
    const { image, shape: canonical } = await loadCase(data, (await data.list())[0]!);
    expect(canonical).toEqual([4, 5, 6, 2]);
    expect(image[0]! - image[1]!).toBe(1000);
    rmSync(folder, { recursive: true });
  });

  it("may be one case, and refuses to guess between labels", async () => {
    expect((await dicomCases({ root: join(root, "p3", "study", "series"), classes }).list()).map(({ id }) => id)).toEqual(["series"]);
    writeStructures(join(root, "p1", "RS2.dcm"), [{ name: "lung", contours: [] }]);
    const where = { root: join(root, "p1", ".."), classes, pattern: "p1" };
    await expect(dicomCases(where).list()).rejects.toThrow(
      "a case must have one label file (RTSTRUCT, SEG, NIfTI, NRRD or MetaImage), or annotation must say which is meant, got RS.dcm, RS2.dcm (sample p1)",
    );
    expect((await dicomCases({ ...where, annotation: /^RS\./ }).list())[0]!.label).toContain("RS.dcm#dicom=");
    rmSync(join(root, "p1", "RS2.dcm"));
  });

  it("takes labels of other formats that lie on the grid of the series", async () => {
    const values = Uint8Array.from({ length: 120 }, (_, n) => n % 3);
    const grid = { space: "LPS", "space directions": "(0.7,0,0) (0,0.8,0) (0,0,2.5)", "space origin": "(-10,-20,30)" };
    const path = join(root, "p3", "Segmentation.NRRD");
    writeFileSync(path, nrrdBytes({ type: "uchar", dimension: "3", sizes: "6 5 4", ...grid }, values));
    const data = dicomCases({ root, classes, pattern: "p3" });
    const [ref] = await data.list();
    expect(ref!.label).toBe(path);
    // Rows and columns of an axial series are turned around, slices are not.
    const turned = Array.from({ length: 4 }, (_, k) => [...values.subarray(30 * k, 30 * k + 30)].reverse()).flat();
    expect([...(await loadCase(data, ref!)).label!]).toEqual(turned);
    rmSync(path);
  });

  it("says what is wrong with its options and its folder", async () => {
    expect(() => dicomCases({ root, classes: ["background"] })).toThrow("classes must be a list of at least two class names");
    expect(() => dicomCases({ root, classes, structures: { Lung: 3 } })).toThrow("structures must be labels from 1 to 2 by name");
    expect(() => dicomCases({ root, classes, series: [] })).toThrow("series must be");
    expect(() => dicomCases({ root, classes, struktures: {} } as never)).toThrow("structures");
    await expect(dicomCases({ root: join(root, "empty"), classes }).list()).rejects.toMatchObject({ code: "ERR_EMPTY" });
    await expect(dicomCases({ root: join(root, "nowhere"), classes }).list()).rejects.toMatchObject({ code: "ERR_READ" });
  });

  it("is inspected and verified as other data sets are: a bad case is listed and hides no other", async () => {
    const bad = join(root, "p4");
    writeSeries({ folder: bad, shape, stored: someValues(shape), elements: (k) => (k === 2 ? { "00280011 US": 5 } : {}) });
    const data = dicomCases({ root, classes });
    const { cases, failed } = await inspectCases(data);
    expect(cases.map(({ id, bytes }) => [id, bytes.image > 2000])).toEqual([
      ["p1", true],
      ["p2", true],
      ["p3", true],
    ]);
    expect(failed.map(({ id }) => id)).toEqual(["p4"]);
    const findings = await verifyCases(data);
    expect(
      findings
        .filter(({ severity, id }) => severity === "error" && id === "p4")
        .map(({ message }) => message)
        .join(),
    ).toContain("6 x 5 pixels");
    rmSync(bad, { recursive: true });
  });
});

describe("plainFolder", () => {
  it("takes a folder of DICOM cases, or one of them, as images to predict", async () => {
    expect((await plainFolder({ root }).list()).map(({ id, images, label }) => [id, images, label])).toEqual(
      ["p1", "p2", "p3"].map((id) => [id, [`${join(root, id)}#dicom`], undefined]),
    );
    expect((await plainFolder({ root: join(root, "p1", "study", "series") }).list())[0]!.id).toBe("series");
  });

  it("lists the volumes beside folders of DICOM cases, but no pictures and nothing of one case's own folder", async () => {
    const mixed = join(root, "..", `${basename(root)}-mixed`);
    writeSeries({ folder: join(mixed, "p1"), shape, stored: someValues(shape) });
    mkdirSync(join(mixed, "k1"));
    for (const name of ["p1.nii.gz", "p2.NRRD", "shown.png", join("p1", "label.nii.gz"), join("k1", "imaging.mha")])
      writeFileSync(join(mixed, name), "");
    const ids = async (folder: string): Promise<string[]> => (await plainFolder({ root: folder }).list()).map(({ id }) => id);
    expect(await ids(join(mixed, "p1"))).toEqual(["p1"]);
    expect(await ids(mixed)).toEqual(["k1", "p1"]);
    rmSync(join(mixed, "k1"), { recursive: true });
    expect(await ids(mixed)).toEqual(["p1", "p2"]);
    expect(() => openDataSet(mixed, { layout: "auto", classes, mapLabels: { 255: 1 } })).toThrow("--map-labels must be left out for DICOM cases");
    mkdirSync(join(mixed, "k2"));
    writeFileSync(join(mixed, "k2", "imaging.nii.gz"), "");
    expect(() => openDataSet(mixed, { layout: "auto", classes })).toThrow("the folder must hold cases of one kind, got DICOM cases and");
    expect((await openDataSet(mixed, { layout: "dicom", classes }).list()).map(({ id }) => id)).toEqual(["p1"]);
    rmSync(mixed, { recursive: true });
  });

  it("sees a file once where links lead in a circle", async () => {
    const round = join(root, "..", `${basename(root)}-round`);
    writeSeries({ folder: join(round, "series"), shape, stored: someValues(shape) });
    for (const name of ["one", "two", "three"]) symlinkSync("..", join(round, "series", name));
    expect((await readHeader(round)).shape).toEqual([4, 5, 6, 1]);
    rmSync(round, { recursive: true });
  });
});

describe("addresses of DICOM data", () => {
  it("stand in manifests, and are refused where they are none", async () => {
    const series = `p1#dicom=${JSON.stringify({ series: "no/../such" })}`;
    const label = `p1/RS.dcm#dicom=${JSON.stringify({ of: { path: "../p1" }, structures: { lung: 1 } })}`;
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    writeFileSync(join(root, "cases.csv"), `id,image,label\na,p1#dicom,${quoted(label)}\nb,${quoted(series)},\n`);
    const data = imageCases({ root: join(root, "cases.csv"), classes });
    const [a, b] = await data.list();
    expect((await loadCase(data, a!)).label!.filter((value) => value === 1).length).toBe(6);
    expect(b!.images).toEqual([`${root}/${series}`]);
    await expect(readHeader(b!.images[0]!)).rejects.toThrow("series no/../such must be one of");
    rmSync(join(root, "cases.csv"));
    await expect(readHeader("p1#dicom={serie}")).rejects.toMatchObject({ code: "ERR_DATA", where: "p1#dicom={serie}" });
    await expect(readHeader('p1#dicom={"serie":"a"}')).rejects.toThrow("an object of series, padding, of, structures, missing, got serie");
  });

  it("fit masks of other formats where a picture has no place", async () => {
    const folder = join(root, "..", `${basename(root)}-xray`);
    const noPlace = () => ({ "00200032 DS": undefined, "00200037 DS": undefined, "00280030 DS": [0.3, 0.2] });
    const [path] = writeSeries({ folder, shape: [6, 5, 1], stored: someValues([6, 5, 1]), elements: noPlace, name: () => "x.dcm" });
    const rows = Uint8Array.from({ length: 30 }, (_, n) => (n < 6 ? 1 : 0));
    writeFileSync(join(folder, "mask.png"), pngBytes({ width: 6, height: 5, bitDepth: 8, colorType: 0, rows }));
    const data = { classes, channels: 1, list: async () => [{ id: "x", images: [path!], label: join(folder, "mask.png") }] };
    const { label } = await loadCase(data, (await data.list())[0]!);
    // The first row of both is the last of the volume, where the front of the body is.
    expect([...label!]).toEqual([...rows].reverse());
    rmSync(folder, { recursive: true });
  });
});
