import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeFolder } from "../../src/core/make-folder.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-folder-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it("makes the folders above, and leaves what is there alone", () => {
  const path = join(root, "a", "b", "c");
  makeFolder(path);
  writeFileSync(join(path, "file"), "");
  makeFolder(path);
  expect(statSync(join(path, "file")).isFile()).toBe(true);
});

it("fails where a file lies in the way", () => {
  writeFileSync(join(root, "file"), "");
  expect(() => makeFolder(join(root, "file"))).toThrow("EEXIST");
  expect(() => makeFolder(join(root, "file", "below"))).toThrow("ENOTDIR");
});

it.skipIf(!existsSync("/proc/self"))("ends where Node's own recursive form never does", () => {
  expect(() => makeFolder("/proc/voxstream/below")).toThrow("ENOENT");
});
