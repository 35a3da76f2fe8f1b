/** What most stages take. */
export interface StageOptions {
  /** For reports, resume positions and random keys. */
  readonly name?: string;
}

/** What a stage does with an item that fails. */
export interface ErrorOptions {
  /** Default: what the run says (`context.onError`), else `"fail"`. Faults of the run itself (options, memory, protocol) always fail. */
  readonly onError?: "fail" | "skip";
}
