import { faultScenarios } from "./fault.js";
import { flowScenarios } from "./flow.js";
import { memoryScenarios } from "./memory.js";
import { orderScenarios } from "./order.js";
import type { Scenarios } from "./scenario.js";
import { splitJoinScenarios } from "./split-join.js";

/** What the streams promise, as functions of the module, so that copies with planted defects can be judged by them. */
export const scenarios: Readonly<Record<string, Scenarios>> = {
  flow: flowScenarios,
  faults: faultScenarios,
  "splits and joins": splitJoinScenarios,
  order: orderScenarios,
  memory: memoryScenarios,
};
