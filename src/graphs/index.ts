export * from "./full-image-graph.js";
export * from "./kits19-graph.js";
export * from "./patch-graph.js";
