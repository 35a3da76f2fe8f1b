import { errorFromWire, errorToWire, type WireError } from "../../core/errors.js";
import type { Json } from "../../core/json.js";
import type { Ranks } from "./ranks.js";

/** What became of the work on one rank. */
interface Outcome<T extends Json> {
  readonly value?: T;
  readonly error?: WireError;
}

/** Errors that every rank has got: each can end by itself. */
const shared = new WeakSet<object>();

/**
 * Does a piece of work that may fail on any rank, and gives the results of all. When it fails on one, it fails on all: there with the error itself, on the
 * others with one of the same code that names the rank.
 */
export async function together<T extends Json>(ranks: Ranks, work: () => T | Promise<T>): Promise<readonly T[]> {
  if (ranks.size === 1) return [await work()];
  let failure: unknown;
  let own: Outcome<T>;
  try {
    own = { value: await work() };
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    own = { error: errorToWire(failure) };
  }
  // Through JSON: what is undefined in it is left out.
  const outcomes = (await ranks.gather(own as unknown as Json)) as unknown as readonly Outcome<T>[];
  const failed = outcomes.findIndex(({ error }) => error !== undefined);
  // Without an error there is a value.
  if (failed < 0) return outcomes.map(({ value }) => value as T);
  const error = failure instanceof Error ? failure : errorFromWire(namingRank(outcomes[failed]!.error!, failed));
  throw sharedError(error);
}

/** Tells of an error that every rank gets, or finds by itself. */
export function sharedError<E extends Error>(error: E): E {
  shared.add(error);
  return error;
}

/** Whether every rank has got it, so that none waits for this one. */
export function isSharedError(error: unknown): boolean {
  return error instanceof Error && shared.has(error);
}

function namingRank(error: WireError, rank: number): WireError {
  return { ...error, message: `rank ${rank}: ${error.message}` };
}
