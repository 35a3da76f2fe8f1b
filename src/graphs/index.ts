export * from "./full-image-graph.js";
export * from "./patch-graph.js";
