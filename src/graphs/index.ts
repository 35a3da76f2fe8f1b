export type { CaseGraphOptions } from "./case-graph-options.js";
export * from "./full-image-graph.js";
export * from "./patch-graph.js";
