import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { recordCaseSources } from "../../src/core/record-case-sources.js";

function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "voxstream-sources-")));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const sourcesIn = (run: string) => JSON.parse(readFileSync(join(run, "sources.json"), "utf8"));

describe("recordCaseSources", () => {
  test("notes the real paths of the first image and the label map, and leaves out what is not there", () => {
    const [data, run] = [folder(), folder()];
    for (const name of ["a.nii", "b.nii", "label.nii"]) writeFileSync(join(data, name), "");
    mkdirSync(join(data, "linked"));
    symlinkSync(join(data, "a.nii"), join(data, "linked", "image.nii"));
    recordCaseSources(run, [
      { id: "one", images: [join(data, "linked", "image.nii"), join(data, "b.nii")], label: join(data, "label.nii") },
      { id: "two", images: [join(data, "gone.nii")] },
    ]);
    expect(sourcesIn(run)).toEqual({ one: { image: join(data, "a.nii"), label: join(data, "label.nii") }, two: {} });
  });

  test("keeps what stands behind the place of DICOM data, and takes folders of that name for what they are", () => {
    const [data, run] = [folder(), folder()];
    mkdirSync(join(data, "a#dicoms"));
    writeFileSync(join(data, "a#dicoms", "a.nii"), "");
    recordCaseSources(run, [{ id: "one", images: [join(data, "a#dicoms", "a.nii")], label: `${data}#dicom={"series":"a"}` }]);
    expect(sourcesIn(run)).toEqual({ one: { image: join(data, "a#dicoms", "a.nii"), label: `${data}#dicom={"series":"a"}` } });
  });

  test("keeps what is noted of other cases, and begins anew when the file is of another make", () => {
    const [data, run] = [folder(), folder()];
    for (const name of ["a.nii", "b.nii"]) writeFileSync(join(data, name), "");
    recordCaseSources(run, [{ id: "one", images: [join(data, "a.nii")] }]);
    recordCaseSources(run, [{ id: "two", images: [join(data, "b.nii")] }]);
    expect(Object.keys(sourcesIn(run))).toEqual(["one", "two"]);
    writeFileSync(join(run, "sources.json"), "[1, 2");
    recordCaseSources(run, [{ id: "two", images: [join(data, "b.nii")] }]);
    expect(Object.keys(sourcesIn(run))).toEqual(["two"]);
    expect(readdirSync(run)).toEqual(["sources.json"]);
  });
});
