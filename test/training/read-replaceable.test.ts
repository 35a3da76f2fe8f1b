import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../src/engine/index.js";
import { unet } from "../../src/models/index.js";
import { loadBundle } from "../../src/training/bundle/load-bundle.js";
import { readReplaceable } from "../../src/training/bundle/read-replaceable.js";
import { replaceFolder } from "../../src/training/bundle/replace-folder.js";
import { saveBundle } from "../../src/training/bundle/save-bundle.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-unchanged-"));
beforeAll(() => startEngine({ threads: 1 }));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder of two files that say the same. */
function folderOf(name: string, content: string): string {
  const folder = join(root, name);
  write(folder, content);
  return folder;
}
function write(folder: string, content: string): void {
  mkdirSync(folder, { recursive: true });
  for (const file of ["a", "b"]) writeFileSync(join(folder, file), content);
}
const replace = (folder: string, content: string) => replaceFolder(folder, async (fresh) => write(fresh, content));

describe("readReplaceable", () => {
  it("reads anew what failed because another saving came in between", async () => {
    const folder = folderOf("between", "1");
    let tries = 0;
    const read = async () => {
      const a = await readFile(join(folder, "a"), "utf8");
      if (++tries <= 2) await replace(folder, String(tries + 1));
      const b = await readFile(join(folder, "b"), "utf8");
      if (a !== b) throw new Error(`${a} does not fit ${b}`);
      return a + b;
    };
    expect([await readReplaceable(folder, read), tries]).toEqual(["33", 3]);
  });

  it("reads anew what failed because the folder stepped aside", async () => {
    const folder = folderOf("aside", "1");
    renameSync(folder, `${folder}.old`);
    let tries = 0;
    const read = async () => {
      tries++;
      try {
        return readFileSync(join(folder, "a"), "utf8");
      } finally {
        if (tries === 1) renameSync(`${folder}.old`, folder);
      }
    };
    expect([await readReplaceable(folder, read), tries]).toEqual(["1", 2]);
  });

  it("passes on at once what is wrong with a folder that stays, or that is not there", async () => {
    let tries = 0;
    const read = async () => {
      tries++;
      throw new Error("damaged");
    };
    await expect(readReplaceable(folderOf("stays", "1"), read)).rejects.toThrow("damaged");
    await expect(readReplaceable(join(root, "none"), read)).rejects.toThrow("damaged");
    expect(tries).toBe(2);
  });

  it("ends also when the folder never stays", async () => {
    const folder = folderOf("restless", "0");
    let tries = 0;
    const read = async () => {
      await replace(folder, String(++tries));
      throw new Error("never whole");
    };
    await expect(readReplaceable(folder, read)).rejects.toThrow("never whole");
    expect(tries).toBe(20);
  });
});

it("a bundle is loaded while a training replaces it", async () => {
  const folder = join(root, "bundle");
  const description = {
    classes: ["background", "kidney"],
    channels: 1,
    patch: [1, 8, 8],
    spacing: [3, 1, 1],
    preprocessing: [],
    model: { name: "unet", options: {} },
    loss: { name: "diceLoss", options: {} },
    engine: "native",
  } as const;
  // Of different weights: files of two savings do not fit together.
  const models = [3, 4].map((seed) => unet({ filters: 2, depth: 1 }).build({ shape: [1, 8, 8, 1], classes: 2, seed }));
  await saveBundle(folder, models[0]!, description);
  let isOver = false;
  const writing = (async () => {
    for (let n = 1; !isOver; n++) await saveBundle(folder, models[n % 2]!, description);
  })();
  try {
    for (let n = 0; n < 40; n++) (await loadBundle(folder)).model.dispose();
  } finally {
    isOver = true;
    await writing;
  }
  for (const model of models) model.dispose();
});
