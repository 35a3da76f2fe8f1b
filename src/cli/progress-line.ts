/** Shows progress on stderr: one line that rewrites itself on a terminal, a plain line every few seconds elsewhere. */
export interface ProgressLine {
  update(text: string): void;
  /** Ends the line; `text` stays. */
  end(text?: string): void;
}

export interface ProgressLineOptions {
  readonly stream?: NodeJS.WriteStream;
  /** Least time between two lines where the stream is no terminal. */
  readonly plainEveryMs?: number;
}

export function progressLine({ stream = process.stderr, plainEveryMs = 5000 }: ProgressLineOptions = {}): ProgressLine {
  let last = Number.NEGATIVE_INFINITY;
  let isOpen = false;
  return {
    update(text) {
      const now = performance.now();
      if (stream.isTTY) {
        if (now - last < 100) return;
        stream.write(`\r\u001b[2K${text.slice(0, (stream.columns ?? 80) - 1)}`);
        isOpen = true;
      } else {
        if (now - last < plainEveryMs) return;
        stream.write(`${text}\n`);
      }
      last = now;
    },
    end(text) {
      if (isOpen) stream.write(text === undefined ? "\n" : "\r\u001b[2K");
      if (text !== undefined) stream.write(`${text}\n`);
      isOpen = false;
      last = Number.NEGATIVE_INFINITY;
    },
  };
}
