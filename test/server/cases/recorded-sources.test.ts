import { chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { recordCaseSources } from "../../../src/core/record-case-sources.js";
import { json, openDashboard } from "../fixture/open-dashboard.js";
import { writePhantomCase } from "../fixture/phantom-case.js";
import { RunWriter } from "../fixture/run-writer.js";
import { temporaryFolder } from "../fixture/temporary-folder.js";

const IDS = ["case_00000", "case_00001", "case_00002"];

/** A run that trains on two of three cases, which it has noted, and a dashboard that was told of no data. */
async function setUp(data?: readonly string[]) {
  const root = temporaryFolder();
  const cases = join(root, "data");
  const folder = join(root, "runs", "first");
  new RunWriter({ folder }).start();
  const files = (id: string) => ({ image: join(cases, id, "imaging.nii.gz"), label: join(cases, id, "segmentation.nii.gz") });
  for (const id of IDS) writePhantomCase(files(id));
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ cases: { training: [IDS[0]], validation: [IDS[1]] } }));
  recordCaseSources(
    folder,
    IDS.map((id) => ({ id, images: [files(id).image], label: files(id).label })),
  );
  const { url } = await openDashboard({ runs: join(root, "runs"), ...(data && { data }) });
  const status = async (id: string, kind = "image") => (await fetch(`${url}api/runs/first/cases/${id}/${kind}`)).status;
  return { root, folder, files, url, status, note: join(folder, "sources.json") };
}

describe("images where the run has noted that they lie", () => {
  test("are shown without --data, of the run's own cases only", async () => {
    const { url, status } = await setUp();
    const { cases, hasData } = await json(`${url}api/runs/first/cases`);
    expect(hasData).toBe(true);
    expect(cases.map(({ id, role, volumes }: any) => [id, role, Object.keys(volumes)])).toEqual([
      [IDS[1], "validation", ["image", "label"]],
      [IDS[0], "training", ["image", "label"]],
    ]);
    expect([await status(IDS[0]!), await status(IDS[1]!, "label")]).toEqual([200, 200]);
    // Noted, but no case of this run's splits or predictions.
    expect(await status(IDS[2]!)).toBe(404);
  });

  test("are not shown once something else lies there: a link, a folder, nothing", async () => {
    const { root, files, status } = await setUp();
    const { image, label } = files(IDS[0]!);
    renameSync(image, join(root, "elsewhere.nii.gz"));
    expect(await status(IDS[0]!)).toBe(404);
    symlinkSync(join(root, "elsewhere.nii.gz"), image);
    expect(await status(IDS[0]!)).toBe(404);
    rmSync(label);
    mkdirSync(label);
    expect(await status(IDS[0]!, "label")).toBe(404);
  });

  test("no other file is sent, whatever the note names", async () => {
    const { root, note, status, url } = await setUp();
    writeFileSync(join(root, "secret.txt"), "secret");
    symlinkSync(join(root, "secret.txt"), join(root, "secret.nii"));
    for (const path of [join(root, "secret.txt"), join(root, "secret.nii"), "/etc/passwd", "../data/case_00000/imaging.nii.gz", "", root]) {
      writeFileSync(note, JSON.stringify({ [IDS[0]!]: { image: path, label: path } }));
      expect([await status(IDS[0]!), await status(IDS[0]!, "label")], path).toEqual([404, 404]);
    }
    for (const text of ["", "{", "[]", "null", '{"case_00000":[]}', '{"case_00000":{"image":7}}']) {
      writeFileSync(note, text);
      expect(await status(IDS[0]!), text).toBe(404);
      expect(Array.isArray((await json(`${url}api/runs/first/cases`)).cases), text).toBe(true);
    }
  });

  test("a note that is a link out of the folder of runs is not read", async () => {
    const { root, note, status } = await setUp();
    renameSync(note, join(root, "sources.json"));
    symlinkSync(join(root, "sources.json"), note);
    expect(await status(IDS[0]!)).toBe(404);
  });

  test("--data goes first", async () => {
    const other = temporaryFolder();
    const { status, url } = await setUp([other]);
    writePhantomCase({ label: join(other, IDS[0]!, "imaging.nii.gz") });
    expect(await status(IDS[0]!)).toBe(200);
    const { cases } = await json(`${url}api/runs/first/cases`);
    const { volumes } = cases.find(({ id }: any) => id === IDS[0]);
    // The label map that lies there in the image's place is smaller than the image that the run has noted.
    expect(volumes.image.bytes).toBe(volumes.label.bytes);
  });

  // Only the administrator may give files away.
  test.skipIf(process.getuid?.() !== 0)("another user's note is not believed", async () => {
    const { note, status } = await setUp();
    expect(await status(IDS[0]!)).toBe(200);
    chownSync(note, 12_345, 12_345);
    expect(await status(IDS[0]!)).toBe(404);
  });
});
