import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ownFile } from "../../src/core/own-file.js";
import { recordCaseSources } from "../../src/core/record-case-sources.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "voxstream-own-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("ownFile", () => {
  it("reads what only its user can have written, and not again while it is the same", () => {
    const path = join(root, "mine");
    writeFileSync(path, "text", { mode: 0o644 });
    const { text, version } = ownFile(path, { most: 100 })!;
    expect(text).toBe("text");
    expect(ownFile(path, { most: 100, known: version })).toEqual({ text: "", version });
    expect(ownFile(path, { most: 3 })).toBeUndefined();
  });

  it.each([0o664, 0o646])("does not believe a file of mode %o", (mode) => {
    const path = join(root, "open");
    writeFileSync(path, "text");
    chmodSync(path, mode);
    expect(ownFile(path, { most: 100 })).toBeUndefined();
  });

  it("follows no link", () => {
    writeFileSync(join(root, "target"), "text", { mode: 0o644 });
    symlinkSync(join(root, "target"), join(root, "link"));
    expect(ownFile(join(root, "link"), { most: 100 })).toBeUndefined();
    expect(ownFile(join(root, "absent"), { most: 100 })).toBeUndefined();
  });
});

describe("recordCaseSources", () => {
  it("does not take over what others may have written", () => {
    const path = join(root, "sources.json");
    writeFileSync(path, JSON.stringify({ secret: { image: "/somewhere/private.nii.gz" } }));
    chmodSync(path, 0o666);
    recordCaseSources(root, [{ id: "a", images: [join(root, "target")] }]);
    expect(Object.keys(JSON.parse(readFileSync(path, "utf8")))).toEqual(["a"]);
    expect(ownFile(path, { most: 1e6 })).toBeDefined();
  });
});
