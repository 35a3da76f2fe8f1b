import type { Observable, OperatorFunction } from "rxjs";
import { describe, errorMessage, isVoxError, VoxError } from "../core/errors.js";

/** What flows between two operators, where it is known. */
export type FlowKind = "cases" | "samples" | "batches";

/** What an operator of ours is called, takes and gives. One that passes on what it gets gives nothing of its own. */
export interface OperatorRole {
  readonly name: string;
  readonly takes?: FlowKind;
  readonly gives?: FlowKind;
}

type AnyOperator = OperatorFunction<unknown, unknown>;

const roles = new WeakMap<object, OperatorRole>();

/** Remembers what an operator takes and gives, for `checkedPipe`. */
export function tellRole<A, B>(operator: OperatorFunction<A, B>, role: OperatorRole): void {
  roles.set(operator, role);
}

/** How far a pipe has come. */
interface Place {
  readonly kind?: FlowKind | undefined;
  /** Operators so far. */
  readonly count?: number;
  /** Name of the last one. */
  readonly last?: string | undefined;
}

/**
 * Gives a flow a `pipe` that names the operator which is none, was not called, or stands behind what it cannot take: RxJS itself says only "x is not a
 * function". What comes out of that `pipe` has the same.
 *
 * @throws from `pipe`: `ERR_OPTION` with the operator's number, the rule and the value
 */
export function checkedPipe<T>(flow: Observable<T>, place: Place = {}): Observable<T> {
  const pipe = (...operators: readonly unknown[]): Observable<unknown> => {
    let made: Observable<unknown> = flow;
    let at = place;
    for (const operator of operators) {
      made = apply(operator, made, at);
      const role = roles.get(operator as object);
      at = {
        count: (at.count ?? 0) + 1,
        last: role?.name,
        // What a function of the user's own gives is not known.
        kind: role ? (role.gives ?? at.kind) : undefined,
      };
    }
    return operators.length === 0 ? flow : checkedPipe(made, at);
  };
  return Object.defineProperty(flow, "pipe", { value: pipe, configurable: true, writable: true });
}

function apply(operator: unknown, flow: Observable<unknown>, { kind, count = 0, last }: Place): Observable<unknown> {
  const behind = last === undefined ? "" : ` (behind ${last})`;
  const refuse = (rule: string, value: string, cause?: unknown): never => {
    throw new VoxError(`operator ${count + 1}${behind} must ${rule}, got ${value}`, { code: "ERR_OPTION", where: "pipe", cause });
  };
  if (typeof operator !== "function") refuse("be an operator, such as normalize()", describe(operator));
  const called = operator as AnyOperator;
  const role = roles.get(called);
  if (role?.takes && kind && role.takes !== kind)
    refuse(`take ${kind}${ADVICE[`${role.name} ${kind}`] ?? ADVICE[kind]}`, `${role.name}, which takes ${role.takes}`);
  let made: unknown;
  try {
    made = called(flow);
  } catch (error) {
    // Called with the flow in place of its options, a function that makes operators refuses them.
    if (!role && isVoxError(error) && called.name !== "" && error.where === called.name) refuse("be called", uncalled(called), error);
    if (role || isVoxError(error)) throw error;
    refuse("make a flow of a flow", `${describe(called)}, which failed: ${errorMessage(error)}`, error);
  }
  if (typeof made === "function") refuse("be called", uncalled(called));
  if (typeof (made as { readonly subscribe?: unknown } | undefined)?.subscribe !== "function")
    refuse("make a flow of a flow", `${describe(called)}, which returns ${describe(made)}`);
  return made as Observable<unknown>;
}

/** What helps most users who meet such a flow. */
const ADVICE: Readonly<Record<string, string>> = {
  cases: ": put load() in front of it",
  samples: "",
  batches: ": put it in front of batch()",
  "load samples": ": load() stands once, first",
  "cached samples": ": load() stands inside cached(...)",
};

function uncalled({ name }: AnyOperator): string {
  return `the function ${name || "itself"}: write ${name || "it"}() or ${name || "it"}({ … })`;
}
