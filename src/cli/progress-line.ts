/** Shows progress on stderr: lines that rewrite themselves on a terminal, plain ones every few seconds elsewhere. */
export interface ProgressLine {
  /** `below` are lines under it, such as a table; they are read only when they are shown. */
  update(text: string, below?: () => readonly string[]): void;
  /** Ends the living lines; `text` stays. */
  end(text?: string): void;
}

export interface ProgressLineOptions {
  readonly stream?: NodeJS.WriteStream;
  /** Least time between two lines where the stream is no terminal. */
  readonly plainEveryMs?: number;
  /** The same for the lines below. */
  readonly plainTableEveryMs?: number;
}

/** A terminal is drawn anew this often at most. */
const DRAW_MS = 100;

export function progressLine({ stream = process.stderr, plainEveryMs = 5_000, plainTableEveryMs = 60_000 }: ProgressLineOptions = {}): ProgressLine {
  let last = Number.NEGATIVE_INFINITY;
  // Not at once: a table of the first second says little.
  let lastTable = performance.now();
  /** Lines on the terminal that will be rewritten. */
  let living = 0;

  const clear = (): string => (living === 0 ? "" : `\r${living > 1 ? `\u001b[${living - 1}A` : ""}\u001b[J`);

  return {
    update(text, below) {
      const now = performance.now();
      if (stream.isTTY) {
        if (now - last < DRAW_MS) return;
        const room = Math.max(1, (stream.rows ?? 24) - 1);
        const lines = [text, ...(below?.() ?? [])].slice(0, room).map((line) => line.slice(0, (stream.columns ?? 80) - 1));
        // In one piece, so that nothing flickers.
        stream.write(clear() + lines.join("\n"));
        living = lines.length;
      } else {
        if (now - last < plainEveryMs) return;
        const isTable = below !== undefined && now - lastTable >= plainTableEveryMs;
        if (isTable) lastTable = now;
        stream.write(`${[text, ...(isTable ? below() : [])].join("\n")}\n`);
      }
      last = now;
    },
    end(text) {
      const isOpen = living > 0;
      if (isOpen) stream.write(text === undefined && living === 1 ? "\n" : clear());
      if (text !== undefined) stream.write(`${text}\n`);
      living = 0;
      last = Number.NEGATIVE_INFINITY;
    },
  };
}
