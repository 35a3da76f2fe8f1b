/**
 * Working memory that goes from one merge to the next: the system hands fresh memory out page by page, which takes longer than the sums themselves. Holds
 * one array; who takes a second one meanwhile gets a fresh one.
 */
export class MergeMemory {
  private spare: Float32Array | undefined;

  /** `count` zeros. */
  take(count: number): Float32Array {
    const { spare } = this;
    this.spare = undefined;
    if (spare && spare.length >= count) return spare.subarray(0, count).fill(0);
    return new Float32Array(count);
  }

  /** Whoever took the array does not touch it any more. */
  give(array: Float32Array): void {
    const whole = new Float32Array(array.buffer);
    if (!this.spare || this.spare.length < whole.length) this.spare = whole;
  }
}
