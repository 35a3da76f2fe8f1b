import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { reserveRoom } from "../../src/cache/reserve-room.js";
import { native } from "../../src/kernels/native.js";
import { reserveFile } from "../../src/kernels/reserve-file/reserve-file.js";

const root = mkdtempSync(join(tmpdir(), "voxstream-room-"));
afterAll(() => rmSync(root, { recursive: true }));
const MIB = 1024 ** 2;

function file(name: string): string {
  const path = join(root, name);
  writeFileSync(path, "abc");
  return path;
}

/** Whether the system and the file system of the test can do it at all. */
function canReserve(): boolean {
  const descriptor = openSync(file("probe"), "r+");
  try {
    return reserveFile(descriptor, 0, MIB);
  } finally {
    closeSync(descriptor);
  }
}

describe("reserved room", () => {
  it.skipIf(!canReserve())("is the file's on the disk, and leaves its size and bytes as they are", () => {
    const path = file("room");
    reserveRoom(path, 4 * MIB);
    const { size, blocks } = statSync(path);
    expect(size).toBe(3);
    expect(blocks * 512).toBeGreaterThanOrEqual(4 * MIB);
    // The same room again is no more room.
    reserveRoom(path, 4 * MIB);
    expect(statSync(path).blocks).toBe(blocks);
  });

  it("is not asked for where little is written", () => {
    const path = file("little");
    const { blocks } = statSync(path);
    reserveRoom(path, 1000);
    expect(statSync(path).blocks).toBe(blocks);
  });

  it("that the file cannot be given is no error", () => {
    const descriptor = openSync(file("read-only"), "r");
    expect(reserveFile(descriptor, 0, MIB)).toBe(false);
    closeSync(descriptor);
  });

  it("of a file that is not there is no error: LMDB may still write where the folder was moved", () => {
    expect(() => reserveRoom(join(root, "none"), 4 * MIB)).not.toThrow();
    expect(existsSync(join(root, "none"))).toBe(false);
  });

  it.skipIf(!native())("is refused by the addon for numbers that no file has", () => {
    const addon = native()!;
    for (const [descriptor, start, length] of [
      [-1, 0, 1],
      [2 ** 31, 0, 1],
      [0, -1, 1],
      [0, 0, 0],
      [0, 0, -5],
      [0, 2 ** 53, 2 ** 63],
      [Number.NaN, 0, Number.NaN],
    ] as const) {
      expect(() => addon.reserveFile!(descriptor, start, length)).toThrow(RangeError);
    }
  });
});
