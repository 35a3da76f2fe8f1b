import type { Observable, OperatorFunction } from "rxjs";
import type { Json } from "../core/json.js";
import type { Random } from "../core/random.js";
import type { RunContext } from "../core/run-context.js";
import type { Sample } from "../core/sample.js";
import type { Triple } from "../core/shape.js";
import { type OperatorRole, tellRole } from "../streams/checked-pipe.js";
import type { SampleLayout, Step } from "../workers/steps/step.js";
import type { StepModule } from "../workers/steps/step-module.js";
import type { LoadOptions } from "./load/load.js";

/** What a random operator may look at when it draws. */
export interface DrawSubject {
  readonly layout: SampleLayout;
  readonly mode: RunContext["mode"];
  readonly sample: Pick<Sample, "id" | "epoch" | "patch" | "cycle" | "margin">;
}

/** One 1:1 operator as data: what is fused into worker tasks, hashed into cache keys and written into model bundles. */
export interface OperatorLink {
  /** Key in the table of steps; stands in histories. */
  readonly name: string;
  /** The operator's options. */
  readonly params: Json;
  /** Draws the step's parameters for one sample; undefined leaves the sample alone. Deterministic operators have none: their options are the parameters. */
  readonly draw?: (random: Random, subject: DrawSubject) => Json | undefined;
  /** A step that is not in the table; without a module it runs on the graph thread. */
  readonly step?: Step<Json>;
  /** Where a worker finds that step, with the hash of its source. */
  readonly module?: StepModule & { readonly hash: string };
}

/** What an operator is, for those that look into it (`cached`, model bundles). */
export type OperatorDescription =
  | { readonly load: LoadOptions }
  | { readonly link: OperatorLink }
  | {
      readonly patch: {
        readonly size: Triple /** Absent where it is as wide as `augment` asks for. */;
        readonly margin?: Triple /** Absent for grids. */;
        readonly perCase?: number;
        /** Whether it looks for the lesions of each case. */
        readonly lesions?: boolean;
      };
    }
  | { readonly shuffle: { readonly window: number } }
  | { readonly batch: { readonly size: number } }
  | { readonly prefetch: { readonly capacity: number } }
  | { readonly cached: { readonly load: LoadOptions; readonly links: readonly OperatorLink[] } }
  /** In front of the operators whose batches are kept. */
  | { readonly prepared: { readonly passes: number } };

/** 1:1 operators that run as one task so far, and the flow that feeds the first of them. */
export interface Chain {
  readonly upstream: Observable<unknown>;
  readonly load?: LoadOptions;
  readonly links: readonly OperatorLink[];
}

const descriptions = new WeakMap<object, OperatorDescription>();
const chains = new WeakMap<object, Chain>();

interface RecordedOperator {
  readonly description: OperatorDescription;
  /** What it was applied to. */
  readonly source: Observable<unknown>;
}

let recorded: RecordedOperator[] | undefined;

export function describeOperator<A, B>(operator: OperatorFunction<A, B>, description: OperatorDescription): OperatorFunction<A, B> {
  const described: OperatorFunction<A, B> = (source) => {
    recorded?.push({ description, source });
    return operator(source);
  };
  descriptions.set(described, description);
  tellRole(described, roleOf(description));
  return described;
}

function roleOf(description: OperatorDescription): OperatorRole {
  if ("load" in description) return { name: "load", takes: "cases", gives: "samples" };
  if ("prepared" in description) return { name: "cached", takes: "cases", gives: "cases" };
  if ("cached" in description) return { name: "cached", takes: "cases", gives: "samples" };
  if ("link" in description) return { name: description.link.name, takes: "samples", gives: "samples" };
  if ("patch" in description) return { name: "patch", takes: "samples", gives: "samples" };
  if ("batch" in description) return { name: "batch", takes: "samples", gives: "batches" };
  return { name: "shuffle" in description ? "shuffle" : "prefetch" };
}

/** What `build` pipes together, in order: the operators that describe themselves. Nothing is subscribed, so no data is read. */
export function recordOperators(build: () => unknown): readonly OperatorDescription[] {
  return recordWithSources(build).map(({ description }) => description);
}

/**
 * The flow of whole cases inside of what `build` pipes together: the one that the first operator is applied to that cuts patches, or else that shuffles or
 * stacks samples. `places` counts the operators that cut.
 */
export function caseFlowOf(build: () => unknown): { readonly flow: Observable<Sample> | undefined; readonly places: number } {
  const operators = recordWithSources(build);
  const patches = operators.filter(({ description }) => "patch" in description);
  const end = patches[0] ?? operators.find(({ description }) => "shuffle" in description || "batch" in description);
  // Who records around this sees the operators that stay.
  recorded?.push(...operators.slice(0, end ? operators.indexOf(end) : 0));
  // Operators on samples are applied to samples.
  return { flow: end?.source as Observable<Sample> | undefined, places: Math.max(patches.length, end ? 1 : 0) };
}

function recordWithSources(build: () => unknown): readonly RecordedOperator[] {
  const outer = recorded;
  const mine: RecordedOperator[] = [];
  recorded = mine;
  try {
    build();
  } finally {
    recorded = outer;
  }
  return mine;
}

/** Whether somebody records what is being piped together. */
export function isRecording(): boolean {
  return recorded !== undefined;
}

const keys = new WeakMap<object, Json>();

/** Gives an operator that is not 1:1 the options by which prepared batches know whether they are still the same. */
export function keyOperator<O extends OperatorFunction<never, unknown>>(operator: O, key: Json): O {
  keys.set(operator, key);
  // A name for messages; what flows in flows out.
  if (!descriptions.has(operator) && Array.isArray(key)) tellRole(operator, { name: String(key[0]) });
  return operator;
}

/** All that decides what an operator does, as JSON; undefined for functions whose code no key can hold. */
export function operatorKey(operator: OperatorFunction<never, unknown>): Json | undefined {
  const description = descriptions.get(operator);
  if (description && "load" in description) return ["load", { ...description.load }];
  if (description && "link" in description) {
    const { name, params, step, module } = description.link;
    return step && !module ? undefined : [name, params, module?.hash ?? null];
  }
  return keys.get(operator);
}

/** Name and options of a deterministic or random 1:1 operator of ours; undefined for any other function. */
export function descriptionOf(operator: OperatorFunction<never, unknown>): OperatorDescription | undefined {
  return descriptions.get(operator);
}

/** Remembers that a flow is the end of a fused chain, so that the next operator can prolong the chain instead of adding a stage. */
export function tagChain<T>(flow: Observable<T>, chain: Chain): Observable<T> {
  chains.set(flow, chain);
  return flow;
}

export function chainOf(flow: Observable<unknown>): Chain | undefined {
  return chains.get(flow);
}
