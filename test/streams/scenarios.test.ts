import { describe, test } from "vitest";
import * as streams from "../../src/streams/index.js";
import { scenarios } from "./scenarios/index.js";

describe.each(Object.entries(scenarios))("%s", (_, group) => {
  test.each(Object.entries(group))("%s", async (_name, scenario) => {
    await scenario(streams);
  });
});
