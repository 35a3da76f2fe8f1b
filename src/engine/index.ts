export * from "./start-engine.js";
