import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { niftiCases, plainFolder } from "../../src/io/index.js";
import { scratchFolder } from "./scratch-folder.js";

const { root, put } = scratchFolder();
const CLASSES = ["background", "kidney", "tumor"];
const KITS = "<case>/imaging.nii.gz with <case>/segmentation.nii.gz beside it (KiTS)";
const NNUNET = "imagesTr/<case>_0000.nii.gz with labelsTr/<case>.nii.gz (nnU-Net raw)";
const MSD = "imagesTr/<case>.nii.gz with labelsTr/<case>.nii.gz (Medical Segmentation Decathlon)";
const CSV = "a CSV manifest (or cases.csv in the folder) with columns id,image[,image2...],label";

const at = (...parts: string[]): string => join(root, ...parts);
for (const name of [
  "case_00010/imaging.nii.gz",
  "case_00010/segmentation.nii.gz",
  "case_00002/imaging.nii",
  "case_00002/segmentation.nii",
  "case_00003/imaging.nii.gz",
]) {
  put(join("kits", name), "");
}
put("kits/LICENSE", "");
put("kits/.cache/imaging.nii.gz", "");
for (const name of ["liver_1_0000.nii.gz", "liver_1_0001.nii.gz", "liver_0_0000.nii.gz", "liver_0_0001.nii.gz"])
  put(join("nnunet/imagesTr", name), "");
put("nnunet/labelsTr/liver_1.nii.gz", "");
put("nnunet/imagesTs/liver_9_0000.nii.gz", "");
put("nnunet/imagesTs/liver_9_0001.nii.gz", "");
put(
  "nnunet/dataset.json",
  JSON.stringify({ channel_names: { 0: "CT", 1: "PET" }, labels: { background: 0, liver: 1, cancer: 2 }, file_ending: ".nii.gz" }),
);
for (const name of ["BRATS_002.nii.gz", "BRATS_001.nii.gz", "._BRATS_001.nii.gz"]) put(join("msd/imagesTr", name), "");
put("msd/labelsTr/BRATS_001.nii.gz", "");
put("msd/dataset.json", JSON.stringify({ modality: { 0: "FLAIR", 1: "T1w" }, labels: { 0: "background", 1: "edema" } }));
put(
  "csv/cases.csv",
  '\ufeffid,image,image2,label,site\r\nb,"scans/b, first.nii.gz",scans/b2.nii.gz,labels/b.nii.gz,"Ulm ""Süd"""\r\na,scans/a.nii.gz,scans/a2.nii.gz,,Bern\r\n\r\n',
);

describe("niftiCases", () => {
  it("lists KiTS cases by id, with a missing label as undefined", async () => {
    const data = niftiCases({ root: at("kits"), classes: CLASSES });
    expect(data).toMatchObject({ classes: CLASSES, channels: 1 });
    expect(await data.list()).toEqual([
      { id: "case_00002", images: [at("kits/case_00002/imaging.nii")], label: at("kits/case_00002/segmentation.nii") },
      { id: "case_00003", images: [at("kits/case_00003/imaging.nii.gz")] },
      { id: "case_00010", images: [at("kits/case_00010/imaging.nii.gz")], label: at("kits/case_00010/segmentation.nii.gz") },
    ]);
  });

  it("takes one case's folder as a KiTS set of one", async () => {
    expect((await niftiCases({ root: at("kits/case_00010"), classes: CLASSES }).list()).map(({ id }) => id)).toEqual(["case_00010"]);
  });

  it("keeps a case whose image is missing, so that reading names the file", async () => {
    put("half/case_1/segmentation.nii.gz", "");
    expect(await niftiCases({ root: at("half"), classes: CLASSES }).list()).toEqual([
      { id: "case_1", images: [at("half/case_1/imaging.nii.gz")], label: at("half/case_1/segmentation.nii.gz") },
    ]);
  });

  it("filters ids by a pattern that must match the whole id", async () => {
    const ids = async (pattern: RegExp | string): Promise<string[]> =>
      (await niftiCases({ root: at("kits"), classes: CLASSES, pattern }).list()).map(({ id }) => id);
    expect(await ids(/case_0000\d/g)).toEqual(["case_00002", "case_00003"]);
    expect(await ids("case_00010|x")).toEqual(["case_00010"]);
    await expect(ids("case_0001")).rejects.toThrow(
      `${at("kits")}: the folder must hold cases: ${KITS} whose id matches ^(?:case_0001)$ (3 cases do not), got none`,
    );
  });

  it("lists nnU-Net raw with channels, classes and subsets from its own files", async () => {
    const data = niftiCases({ root: at("nnunet") });
    expect(data).toMatchObject({ classes: ["background", "liver", "cancer"], channels: 2 });
    expect(await data.list()).toEqual([
      { id: "liver_0", images: [at("nnunet/imagesTr/liver_0_0000.nii.gz"), at("nnunet/imagesTr/liver_0_0001.nii.gz")] },
      {
        id: "liver_1",
        images: [at("nnunet/imagesTr/liver_1_0000.nii.gz"), at("nnunet/imagesTr/liver_1_0001.nii.gz")],
        label: at("nnunet/labelsTr/liver_1.nii.gz"),
      },
    ]);
    expect((await niftiCases({ root: at("nnunet"), subset: "test" }).list()).map(({ id }) => id)).toEqual(["liver_9"]);
  });

  it("lists MSD, without the hidden files of macOS", async () => {
    const data = niftiCases({ root: at("msd") });
    expect(data).toMatchObject({ classes: ["background", "edema"], channels: 2 });
    expect(await data.list()).toEqual([
      { id: "BRATS_001", images: [at("msd/imagesTr/BRATS_001.nii.gz")], label: at("msd/labelsTr/BRATS_001.nii.gz") },
      { id: "BRATS_002", images: [at("msd/imagesTr/BRATS_002.nii.gz")] },
    ]);
  });

  it("reads a manifest with quoted fields, several images and further columns", async () => {
    for (const path of [at("csv"), at("csv/cases.csv")]) {
      const data = niftiCases({ root: path, classes: CLASSES });
      expect(data.channels).toBe(2);
      expect(await data.list()).toEqual([
        { id: "a", images: [at("csv/scans/a.nii.gz"), at("csv/scans/a2.nii.gz")], extra: { site: "Bern" } },
        {
          id: "b",
          images: [at("csv/scans/b, first.nii.gz"), at("csv/scans/b2.nii.gz")],
          label: at("csv/labels/b.nii.gz"),
          extra: { site: 'Ulm "Süd"' },
        },
      ]);
    }
  });

  it.each([
    ["id,file\na,b\n", "the heading must have columns id,image[,image2...],label, got id,file"],
    ["id,image\na\n", "each line must have 2 columns, got 1 in case 1"],
    ["id,image\n,scan.nii\n", 'each line must have an id and an image, got ",scan.nii" in case 1'],
    ["id,image\na,x.nii\na,y.nii\n", "each case must have an id of its own, got a twice"],
    ["id,image\n../a,x.nii\n", 'the id of a case must be usable as a file name, without / and \\, got "../a"'],
  ])("refuses the manifest %j", async (text, message) => {
    const path = put("bad.csv", text);
    await expect(niftiCases({ root: path, classes: CLASSES }).list()).rejects.toThrow(`${path}: ${message}`);
  });

  it("names the layouts that an empty folder was searched for", async () => {
    mkdirSync(at("empty"));
    await expect(niftiCases({ root: at("empty"), classes: CLASSES }).list()).rejects.toThrow(
      `${at("empty")}: the folder must hold cases: ${CSV} or ${NNUNET} or ${MSD} or images/<case>.png with labels/<case>.png or masks/<case>.png, in any format or ${KITS}, got none`,
    );
    for (const [layout, looksFor] of [
      ["kits", KITS],
      ["nnunet", NNUNET],
      ["msd", MSD],
      ["csv", CSV],
    ] as const) {
      await expect(niftiCases({ root: at("empty"), classes: CLASSES, layout }).list()).rejects.toMatchObject({
        code: "ERR_EMPTY",
        message: `${at("empty")}: the folder must hold cases: ${looksFor}, got none`,
      });
    }
    await expect(niftiCases({ root: at("nowhere"), classes: CLASSES }).list()).rejects.toThrow(`${at("nowhere")}: the folder of cases must exist`);
  });

  it("refuses a dataset.json that is not one", () => {
    put("broken/imagesTr/a.nii.gz", "");
    put("broken/dataset.json", "{");
    expect(() => niftiCases({ root: at("broken"), classes: CLASSES })).toThrow(`${at("broken/dataset.json")}: the file must be JSON, got`);
    put("broken/dataset.json", JSON.stringify({ labels: { background: 0, liver: 2 } }));
    expect(() => niftiCases({ root: at("broken"), classes: CLASSES })).toThrow(
      `${at("broken/dataset.json")}: labels must be numbered 0, 1, 2, ..., got 0, 2`,
    );
    put("broken/dataset.json", JSON.stringify({ labels: { background: 0, whole: [1, 2] } }));
    expect(() => niftiCases({ root: at("broken") })).toThrow(
      "niftiCases: classes must be a list of at least two class names (dataset.json gives none), got undefined",
    );
  });

  it("refuses wrong options when it is built", () => {
    // @ts-expect-error a wrong option from JavaScript
    expect(() => niftiCases({ root: at("kits"), clases: CLASSES })).toThrow(/^niftiCases: .* did you mean classes\?$/);
    expect(() => niftiCases({ root: "", classes: CLASSES })).toThrow('niftiCases: root must be a path, got ""');
    expect(() => niftiCases({ root: at("kits"), classes: ["background"] })).toThrow("niftiCases: classes must be a list of at least two class names");
    expect(() => niftiCases({ root: at("kits"), classes: ["a", "a"] })).toThrow('niftiCases: classes must be different names, got ["a","a"]');
    expect(() => niftiCases({ root: at("kits"), classes: CLASSES, channels: 0 })).toThrow("niftiCases: channels must be a positive integer, got 0");
    // @ts-expect-error a wrong option from JavaScript
    expect(() => niftiCases({ root: at("kits"), classes: CLASSES, layout: "bids" })).toThrow(
      'niftiCases: layout must be auto, kits, nnunet, msd, folders or csv, got "bids"',
    );
    // @ts-expect-error a wrong option from JavaScript
    expect(() => niftiCases({ root: at("kits"), classes: CLASSES, subset: "all" })).toThrow(
      'niftiCases: subset must be "train" or "test", got "all"',
    );
  });
});

describe("plainFolder", () => {
  it("lists files, one file, KiTS folders without their labels, and channels", async () => {
    put("plain/b.nii.gz", "");
    put("plain/a.nii", "");
    put("plain/notes.txt", "");
    expect(await plainFolder({ root: at("plain") }).list()).toEqual([
      { id: "a", images: [at("plain/a.nii")] },
      { id: "b", images: [at("plain/b.nii.gz")] },
    ]);
    expect(await plainFolder({ root: at("plain/b.nii.gz") }).list()).toEqual([{ id: "b", images: [at("plain/b.nii.gz")] }]);
    expect((await plainFolder({ root: at("kits") }).list()).map(({ id, label }) => [id, label])).toEqual([
      ["case_00002", undefined],
      ["case_00003", undefined],
      ["case_00010", undefined],
    ]);
    expect((await plainFolder({ root: at("nnunet/imagesTr"), channels: 2 }).list()).map(({ id, images }) => [id, images.length])).toEqual([
      ["liver_0", 2],
      ["liver_1", 2],
    ]);
  });

  it("refuses what holds no images", async () => {
    mkdirSync(at("void"));
    await expect(plainFolder({ root: at("void") }).list()).rejects.toThrow(
      `${at("void")}: the folder must hold images: volumes (*.nii.gz, *.nrrd, *.mha, ...) or pictures (*.png, *.tif, ...), a folder of DICOM files for each case, or ${KITS}, got none`,
    );
    await expect(plainFolder({ root: at("nowhere") }).list()).rejects.toThrow(`${at("nowhere")}: the input must exist`);
    put("twice/a.nii", "");
    put("twice/a.nii.gz", "");
    await expect(plainFolder({ root: at("twice") }).list()).rejects.toThrow(`${at("twice")}: each case must have an id of its own, got a twice`);
    expect(() => plainFolder({ root: at("kits"), channels: 1.5 })).toThrow("plainFolder: channels must be a positive integer, got 1.5");
  });
});
