import { describe, expect, it } from "vitest";
import { requireCaseIds } from "../../src/core/require-case-ids.js";

const cases = (...ids: unknown[]) => ids.map((id) => ({ id: id as string, images: [] }));

describe("requireCaseIds", () => {
  it("takes any name that a file can have", () => {
    expect(() => requireCaseIds(cases("a", "case 1", "Größe.1", "..a"), "here")).not.toThrow();
  });

  it.each([
    ["../x", 'the id of a case must be usable as a file name, without / and \\, got "../x"'],
    ["..", 'without / and \\, got ".."'],
    ["a\\b", "without / and \\, got"],
    ["", 'without / and \\, got ""'],
    [7, "without / and \\, got 7"],
  ])("refuses %j", (id, message) => {
    expect(() => requireCaseIds(cases("a", id), "here")).toThrow(message);
  });

  it("refuses the same id twice", () => {
    expect(() => requireCaseIds(cases("a", "b", "a"), "here")).toThrow("here: each case must have an id of its own, got a twice");
  });
});
