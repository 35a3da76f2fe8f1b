import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../../src/core/run-events.js";
import { ANCHOR_BYTES } from "../../../src/server/live/event-anchor.js";
import { CHUNK_BYTES, EventTail } from "../../../src/server/live/event-tail.js";
import { temporaryFolder } from "../fixture/temporary-folder.js";

const warning = (message: string) => `${JSON.stringify({ t: 1, type: "warning", message })}\n`;

function setUp(content?: string) {
  const file = join(temporaryFolder(), "events.jsonl");
  if (content !== undefined) writeFileSync(file, content);
  const seen: { message: string; mark: number }[] = [];
  let resets = 0;
  const tail = new EventTail({
    file,
    chunk: Buffer.allocUnsafe(CHUNK_BYTES + ANCHOR_BYTES),
    onEvent: (event: RunEvent, mark) => seen.push({ message: (event as { message: string }).message, mark }),
    onReset: () => {
      resets++;
      seen.length = 0;
    },
  });
  const readAll = async () => {
    let result = await tail.advance();
    while (result === "more") result = await tail.advance();
    return result;
  };
  return { file, tail, seen, readAll, messages: () => seen.map(({ message }) => message), resets: () => resets };
}

describe("EventTail", () => {
  test("reads only what was appended", async () => {
    const { file, readAll, messages, tail } = setUp(warning("a"));
    expect(await readAll()).toBe("end");
    appendFileSync(file, warning("b") + warning("c"));
    await readAll();
    await readAll();
    expect(messages()).toEqual(["a", "b", "c"]);
    expect(tail.offset).toBe(tail.size);
  });

  test("lets a half-written last line wait until it is whole", async () => {
    const line = warning("whole");
    const { file, readAll, messages, tail } = setUp(warning("a") + line.slice(0, 20));
    await readAll();
    expect(messages()).toEqual(["a"]);
    expect(tail.corruptLines).toBe(0);
    appendFileSync(file, line.slice(20, -1));
    await readAll();
    expect(messages()).toEqual(["a"]);
    appendFileSync(file, "\n");
    await readAll();
    expect(messages()).toEqual(["a", "whole"]);
  });

  test("counts corrupt lines and reads on", async () => {
    const { readAll, messages, tail } = setUp(`${warning("a")}{"t":1,"type":"warn\n\u0000\u0000\n[1,2]\n{"t":"x","type":"end"}\n\n${warning("b")}`);
    await readAll();
    expect(messages()).toEqual(["a", "b"]);
    expect(tail.corruptLines).toBe(4);
  });

  test("begins anew when the file was cut", async () => {
    const { file, readAll, messages, resets } = setUp(warning("a") + warning("b"));
    await readAll();
    truncateSync(file, warning("a").length);
    appendFileSync(file, warning("c").slice(0, 5));
    await readAll();
    expect(resets()).toBe(1);
    expect(messages()).toEqual(["a"]);
  });

  test("begins anew when the file was cut and has grown beyond its old length between two looks", async () => {
    const { file, readAll, messages, resets } = setUp(warning("a") + warning("b"));
    await readAll();
    truncateSync(file, warning("a").length);
    appendFileSync(file, warning("c") + warning("d") + warning("e"));
    await readAll();
    expect(resets()).toBe(1);
    expect(messages()).toEqual(["a", "c", "d", "e"]);
  });

  test("begins anew when another file took its name", async () => {
    const { file, readAll, messages } = setUp(warning("a") + warning("b"));
    await readAll();
    writeFileSync(`${file}.new`, warning("x") + warning("y"));
    renameSync(`${file}.new`, file);
    await readAll();
    expect(messages()).toEqual(["x", "y"]);
  });

  test("steps over a line longer than a chunk and counts it once", async () => {
    const { readAll, messages, tail } = setUp(`${warning("a")}${warning("x".repeat(3 * CHUNK_BYTES))}${warning("b")}`);
    await readAll();
    expect(messages()).toEqual(["a", "b"]);
    expect(tail.corruptLines).toBe(1);
    expect(tail.offset).toBe(tail.size);
  });

  test("gives byte offsets also behind names that are not ASCII", async () => {
    const first = warning("Niere – ¼ é 腎臓 🫘");
    const { readAll, seen } = setUp(first + warning("b"));
    await readAll();
    expect(seen).toEqual([
      { message: "Niere – ¼ é 腎臓 🫘", mark: 0 },
      { message: "b", mark: Buffer.byteLength(first) },
    ]);
  });

  test("reads lines that lie across chunks", async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => warning(`${i} é ${"y".repeat(i % 90)}`));
    const { readAll, messages, seen } = setUp(lines.join(""));
    await readAll();
    expect(messages()).toHaveLength(30_000);
    expect(seen.at(-1)!.mark).toBe(Buffer.byteLength(lines.slice(0, -1).join("")));
  });

  test("says when the file is gone", async () => {
    const { file, readAll } = setUp(warning("a"));
    await readAll();
    rmSync(file);
    expect(await readAll()).toBe("gone");
  });
});
