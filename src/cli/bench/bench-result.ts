/** One measured thing of `voxstream bench`. */
export interface BenchResult {
  readonly name: string;
  /** Shape of the input, such as `"64x512x512"`. */
  readonly shape: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly runs: number;
  /** Bytes read and written, or floating point operations, of one run. */
  readonly bytes?: number;
  readonly flops?: number;
  readonly peakRssMB?: number;
}

/** Options of every bench case; a case ignores what it has no use for. */
export interface BenchOptions {
  readonly file?: string;
  readonly shape?: readonly number[];
  /** Default 1: peers are timed on one thread. */
  readonly threads: number;
  readonly runs: number;
  readonly note: (text: string) => void;
}

export type BenchCase = (options: BenchOptions) => Promise<readonly BenchResult[]>;
