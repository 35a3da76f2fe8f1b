import { expect, test } from "vitest";
import { formatBytes, parseBytes } from "../../src/core/bytes.js";

test("sizes are powers of 1024, in any case and with or without a space", () => {
  const parse = (value: number | string): number => parseBytes(value, "config", "memory");
  expect([parse("4GB"), parse("512 mb"), parse("1.5 kb"), parse("10b"), parse(" 2TB "), parse(123.9)]).toEqual([
    4 * 1024 ** 3,
    512 * 1024 ** 2,
    1536,
    10,
    2 * 1024 ** 4,
    123,
  ]);
});

test.each(["4", "GB", "-1GB", "4 GiB", "", "4GBs", 0, -1, Number.NaN, Number.POSITIVE_INFINITY])("%j is refused", (value) => {
  expect(() => parseBytes(value, "config", "memory")).toThrow(/^config: memory must be /);
});

test("bytes are written for people", () => {
  expect([0, 1023, 1024, 1536, 150 * 1024, 1024 ** 2, 8 * 1024 ** 3].map(formatBytes)).toEqual([
    "0 B",
    "1023 B",
    "1.0 KB",
    "1.5 KB",
    "150 KB",
    "1.0 MB",
    "8.0 GB",
  ]);
});
