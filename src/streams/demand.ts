import type { Graph } from "./graph.js";

/** The only thing that stages say to each other. */
export interface Demand {
  /**
   * May I hand you ONE item now? If not, `retry` is called once when there is room. It is a question about state, not a credit: asking twice, or not
   * sending after a yes, costs nothing.
   */
  ask(retry: () => void): boolean;
  readonly graph: Graph;
  /** Name of the receiver, for reports. */
  readonly name: string;
}
