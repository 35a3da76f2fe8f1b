import type { GraphFunction } from "../training/index.js";
import { patchGraph } from "./patch-graph.js";

/**
 * Makes the graph of MIScnn's KiTS19 study: HU -79..304, 3.22 x 1.62 x 1.62 mm, z-score, patches of 80 x 160 x 160 with foreground, batches of 2.
 *
 * @shape cases → batches (2, 80, 160, 160, 1)
 * @units HU and mm
 * @source D. Müller, F. Kramer: MIScnn, BMC Medical Imaging 21:12 (2021), "Application on the KiTS19 data set"
 * @example
 * defineConfig({ …, graph: kits19Graph() })
 */
export function kits19Graph(): GraphFunction {
  return patchGraph({ range: [-79, 304], spacing: [3.22, 1.62, 1.62], patch: [80, 160, 160], foreground: 0, skipBlank: true, window: 32 });
}
