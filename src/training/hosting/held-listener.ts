import type { GraphHostListener } from "./local-graph-host.js";

/** Keeps what a graph says until somebody can hear it: a graph begins before its run has a folder. */
export class HeldListener {
  private held: ((listener: GraphHostListener) => void)[] = [];
  private target: GraphHostListener | undefined;

  readonly listener: GraphHostListener = {
    skip: (note) => this.tell((listener) => listener.skip(note)),
    stages: (note) => this.tell((listener) => listener.stages(note)),
    memory: (note) => this.tell((listener) => listener.memory(note)),
  };

  /** From here on somebody hears: first what was held, in order. */
  hear(target: GraphHostListener): void {
    this.target = target;
    for (const say of this.held) say(target);
    this.held = [];
  }

  private tell(say: (listener: GraphHostListener) => void): void {
    if (this.target) say(this.target);
    else this.held.push(say);
  }
}
