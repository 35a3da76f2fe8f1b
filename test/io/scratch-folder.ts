import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

/** A folder that is removed after the test file, and a way to put files into it. */
export function scratchFolder(): { readonly root: string; readonly put: (name: string, content: Uint8Array | string) => string } {
  const root = mkdtempSync(join(tmpdir(), "vox-io-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const put = (name: string, content: Uint8Array | string): string => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  return { root, put };
}
