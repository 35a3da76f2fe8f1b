import * as tf from "@tensorflow/tfjs-core";
import { checkCases, nativeCases } from "./check-cases.js";
import { evaluateCase, relativeDifference } from "./evaluate-case.js";

/** One operation that an engine computes otherwise than the reference. */
export interface CheckFailure {
  readonly op: string;
  readonly detail: string;
  /** What differs: `value`, `gradient 0`, …, or the error that was thrown. */
  readonly what: string;
  /** Largest difference relative to the largest value; 1e308 stands for "not finite where the reference is". */
  readonly difference: number;
}

export interface SelfCheckResult {
  readonly cases: number;
  readonly failures: readonly CheckFailure[];
}

// Sums of a few thousand float32 products in another order differ by some 1e-6 of the largest; a wrong kernel by 1e-2 and more.
const TOLERANCE = 1e-4;

/**
 * Compares value and gradients of every operation that the library uses, and of all kernels of our own backend, with the stock `cpu` backend. Leaves the backend as it was.
 *
 * @param backend name of a registered TensorFlow.js backend
 */
export async function selfCheck(backend: string): Promise<SelfCheckResult> {
  const before = tf.engine().backendName;
  const failures: CheckFailure[] = [];
  const cases = backend === "native" ? nativeCases() : checkCases();
  try {
    for (const one of cases) {
      const { op, detail } = one;
      await tf.setBackend("cpu");
      const expected = await evaluateCase(one);
      await tf.setBackend(backend);
      try {
        const actual = await evaluateCase(one);
        const pairs = [
          ["value", actual.value, expected.value] as const,
          ...expected.gradients.map((gradient, i) => [`gradient ${i}`, actual.gradients[i]!, gradient] as const),
        ];
        for (const [what, a, b] of pairs) {
          const difference = relativeDifference(a, b);
          if (!(difference <= TOLERANCE)) failures.push({ op, detail, what, difference: Math.min(difference, 1e308) });
        }
      } catch (error) {
        failures.push({ op, detail, what: error instanceof Error ? error.message : String(error), difference: 1e308 });
      }
    }
  } finally {
    if (before) await tf.setBackend(before);
  }
  return { cases: cases.length, failures };
}

/** `conv3d (3,3,3 …: gradient 1 off by 0.2) and 3 more`. */
export function describeFailures(failures: readonly CheckFailure[]): string {
  const [first] = failures;
  if (!first) return "none";
  const amount = first.difference < 1e300 ? ` off by ${first.difference.toPrecision(2)}` : "";
  const ops = [...new Set(failures.map(({ op }) => op))].slice(1);
  return `${first.op} (${first.detail}: ${first.what}${amount})${ops.length > 0 ? ` and ${ops.join(", ")}` : ""}`;
}
