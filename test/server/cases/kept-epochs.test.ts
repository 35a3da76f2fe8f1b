import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keptEpochPath, keptEpochs } from "../../../src/server/cases/kept-epochs.js";
import { temporaryFolder } from "../fixture/temporary-folder.js";

function setUp() {
  const root = temporaryFolder();
  const run = join(root, "run");
  const put = (name: string, text = "voxels") => {
    mkdirSync(join(run, "validation", name, ".."), { recursive: true });
    writeFileSync(join(run, "validation", name), text);
  };
  mkdirSync(run);
  writeFileSync(join(root, "secret.nii.gz"), "secret");
  return { root, run, put };
}

test("the kept epochs of a case are those whose files are there, oldest first", async () => {
  const { run, put } = setUp();
  for (const epoch of ["00100", "00020", "00003"]) put(`epoch-${epoch}/a.nii.gz`, "x".repeat(Number(epoch)));
  put("epoch-00020/b.nii.gz");
  put("epoch-00020/.b.nii.gz.0a1b.tmp");
  put("epoch-00020/notes.txt");
  put("other/a.nii.gz");
  put("epoch-7/a.nii.gz");
  const kept = await keptEpochs(run);
  expect([...kept.keys()]).toEqual(["a", "b"]);
  expect(kept.get("a")).toEqual([3, 20, 100].map((epoch) => ({ epoch, bytes: epoch })));
  expect(await keptEpochPath(run, "a", 20)).toBe(join(run, "validation", "epoch-00020", "a.nii.gz"));
  expect(await keptEpochPath(run, "a", 21)).toBeUndefined();
});

test("a run without any, and one whose folder is a link that leads out, has none", async () => {
  const { root, run, put } = setUp();
  expect((await keptEpochs(run)).size).toBe(0);
  put("epoch-00001/a.nii.gz");
  const other = join(root, "other");
  mkdirSync(other);
  symlinkSync(join(run, "validation"), join(other, "validation"));
  expect((await keptEpochs(other)).size).toBe(0);
  symlinkSync(join(root, "secret.nii.gz"), join(run, "validation", "epoch-00001", "c.nii.gz"));
  expect([...(await keptEpochs(run)).keys()]).toEqual(["a"]);
  for (const id of ["c", "../../../secret", "..", "a/../a", ""]) expect(await keptEpochPath(run, id, 1), id).toBeUndefined();
});
