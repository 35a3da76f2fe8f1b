import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { smooth } from "../../../src/server/page/charts/smooth.js";
import {
  formatAgo,
  formatBytes,
  formatDuration,
  formatPercent,
  formatPlural,
  formatScore,
  formatValue,
} from "../../../src/server/page/elements/format.js";

const PAGE = fileURLToPath(new URL("../../../src/server/page", import.meta.url));

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? sources(join(folder, name)) : [join(folder, name)]));
}

describe("the page's sources", () => {
  test("never make markup or code out of text, and name no other host", () => {
    for (const file of sources(PAGE).filter((name) => /\.(ts|html|css|svg)$/.test(name))) {
      const text = readFileSync(file, "utf8").replaceAll("http://www.w3.org/2000/svg", "");
      expect(text, file).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc/);
      expect(text, file).not.toMatch(/https?:\/\//);
    }
  });
});

describe("formats", () => {
  test("values keep four digits", () => {
    expect([0.123456, 1.5, 12.345, 123.45, 1234.5, 0, 1e-4, 2.5e-5, 3.2e7].map(formatValue)).toEqual([
      "0.1235",
      "1.5000",
      "12.35",
      "123.5",
      "1235",
      "0",
      "1e-4",
      "2.5e-5",
      "3.2e7",
    ]);
    expect([null, undefined, Number.NaN, Infinity].map(formatValue)).toEqual(["–", "–", "–", "–"]);
  });

  test("durations read like speech", () => {
    expect([0.4, 42, 60, 200, 1800, 3600, 7500, 86_400, 90_000 * 3].map(formatDuration)).toEqual([
      "0.4 s",
      "42 s",
      "1 min",
      "3 min 20 s",
      "30 min",
      "1 h",
      "2 h 5 min",
      "1 d",
      "3 d 3 h",
    ]);
    expect(formatAgo(1000, 3000)).toBe("just now");
    expect(formatAgo(0, 90_000)).toBe("2 min ago");
  });

  test("shares, scores, bytes and plurals", () => {
    expect([0, 0.014, 0.5, 1].map(formatPercent)).toEqual(["0 %", "1.4 %", "50 %", "100 %"]);
    expect(formatScore(0.98765)).toBe("0.988");
    expect([512, 2048, 5 * 1024 ** 3].map(formatBytes)).toEqual(["512 B", "2.00 KB", "5.00 GB"]);
    expect([formatPlural(1, "warning"), formatPlural(2, "warning")]).toEqual(["1 warning", "2 warnings"]);
  });
});

describe("smooth", () => {
  test("starts at the first value and keeps a constant", () => {
    expect(smooth([5, 5, 5], 0.9)).toEqual([5, expect.closeTo(5), expect.closeTo(5)]);
    expect(smooth([1, 2], 0.5)).toEqual([1, expect.closeTo(5 / 3)]);
  });

  test("weight 0 changes nothing, gaps stay gaps", () => {
    expect(smooth([1, 9, 2], 0)).toEqual([1, 9, 2]);
    expect(smooth([1, null, 3], 0.5)).toEqual([1, null, expect.closeTo(7 / 3)]);
  });
});
