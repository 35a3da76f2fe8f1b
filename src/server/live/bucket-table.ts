/** Points of one curve as drawn: `mean` in a band from `min` to `max`. `x` is the last x that fell into each bucket. */
export interface CurvePoints {
  readonly x: readonly number[];
  readonly mean: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
}

/** A column on the wire; `min` and `max` are left out while every bucket holds at most one value. `null` is "no value here". */
interface ColumnState {
  readonly name: string;
  readonly count: readonly number[];
  readonly mean: readonly (number | null)[];
  readonly min?: readonly (number | null)[];
  readonly max?: readonly (number | null)[];
}

export interface BucketTableState {
  readonly capacity: number;
  readonly width: number;
  readonly base: number;
  readonly rows: number;
  readonly index: readonly number[];
  readonly x: readonly number[];
  readonly time: readonly number[];
  readonly columns: readonly ColumnState[];
}

interface Column {
  readonly count: Float64Array;
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
}

const MOST_COLUMNS = 64;

/**
 * A table of curves over one integer axis in bounded memory: bucket `i` keeps count, sum, minimum and maximum of every column for
 * `base + i * width <= x < base + (i + 1) * width`. When the axis outgrows the capacity, neighbors merge and `width` doubles, so extremes never get lost
 * and a run of any length costs the same. Server and page use the same class, so a page that folds in live rows shows what a fresh load would show.
 */
export class BucketTable {
  readonly capacity: number;
  #width = 1;
  #base = 0;
  #rows = 0;
  #last = -1;
  readonly #x: Float64Array;
  readonly #time: Float64Array;
  readonly #mark: Float64Array;
  readonly #used: Uint8Array;
  readonly #columns = new Map<string, Column>();
  /** The columns of the names used last: a writer uses the same ones row after row. */
  #names: readonly string[] = [];
  #found: readonly (Column | undefined)[] = [];

  constructor({ capacity = 1024 }: { readonly capacity?: number } = {}) {
    this.capacity = capacity;
    this.#x = new Float64Array(capacity);
    this.#time = new Float64Array(capacity);
    this.#mark = new Float64Array(capacity);
    this.#used = new Uint8Array(capacity);
  }

  /** How many rows were added and not cut off again. */
  get rows(): number {
    return this.#rows;
  }

  /** How many x values share a bucket. */
  get width(): number {
    return this.#width;
  }

  get names(): string[] {
    return [...this.#columns.keys()];
  }

  /** The highest x, or undefined in an empty table. */
  get lastX(): number | undefined {
    return this.#last < 0 ? undefined : this.#x[this.#last]!;
  }

  /** Adds one row. `mark` is where the row stands in its file, so that a part of the axis can be read again in full detail. */
  add(x: number, time: number, mark: number, names: readonly string[], values: ArrayLike<number>): void {
    const i = this.#place(x);
    if (this.#used[i]) {
      this.#x[i] = Math.max(this.#x[i]!, x);
      this.#time[i] = Math.max(this.#time[i]!, time);
      this.#mark[i] = Math.min(this.#mark[i]!, mark);
    } else {
      this.#used[i] = 1;
      this.#x[i] = x;
      this.#time[i] = time;
      this.#mark[i] = mark;
    }
    if (i > this.#last) this.#last = i;
    this.#rows++;
    if (names !== this.#names) {
      this.#names = names;
      this.#found = names.map((name) => this.#column(name));
    }
    for (let k = 0; k < names.length; k++) {
      const value = values[k]!;
      // Not a number (a diverged loss) leaves a gap in the curve instead of spoiling the bucket's mean.
      const column = this.#found[k];
      if (!Number.isFinite(value) || !column) continue;
      if (column.count[i] === 0) {
        // What an emptied bucket held before is still in the arrays.
        column.min[i] = value;
        column.max[i] = value;
        column.sum[i] = value;
      } else {
        if (value < column.min[i]!) column.min[i] = value;
        if (value > column.max[i]!) column.max[i] = value;
        column.sum[i]! += value;
      }
      column.count[i]!++;
    }
  }

  /** Drops all buckets that begin after `x`: a resumed run writes those steps again. */
  cutAfter(x: number): void {
    const keep = this.#last < 0 ? 0 : Math.min(this.#last + 1, Math.max(0, Math.floor((x - this.#base) / this.#width) + 1));
    let rows = 0;
    for (let i = keep; i <= this.#last; i++) {
      if (!this.#used[i]) continue;
      let most = 1;
      for (const column of this.#columns.values()) most = Math.max(most, column.count[i]!);
      rows += most;
    }
    this.#used.fill(0, keep);
    for (const column of this.#columns.values()) column.count.fill(0, keep);
    this.#rows = keep === 0 ? 0 : Math.max(0, this.#rows - rows);
    this.#last = keep - 1;
    while (this.#last >= 0 && !this.#used[this.#last]) this.#last--;
  }

  /** The buckets of one column that hold a value, in order of x. */
  points(name: string): CurvePoints {
    const points = { x: [] as number[], mean: [] as number[], min: [] as number[], max: [] as number[] };
    const column = this.#columns.get(name);
    if (!column) return points;
    for (let i = 0; i <= this.#last; i++) {
      if (column.count[i] === 0) continue;
      points.x.push(this.#x[i]!);
      points.mean.push(column.sum[i]! / column.count[i]!);
      points.min.push(column.min[i]!);
      points.max.push(column.max[i]!);
    }
    return points;
  }

  /** The value of the last bucket that has one. */
  lastOf(name: string): number | undefined {
    const column = this.#columns.get(name);
    if (!column) return undefined;
    for (let i = this.#last; i >= 0; i--) if (column.count[i]! > 0) return column.sum[i]! / column.count[i]!;
    return undefined;
  }

  /** The range of file marks that holds every row with `from <= x <= to`; `end` is undefined when it reaches the end of the file. */
  marks(from: number, to: number): { readonly start: number; readonly end: number | undefined } | undefined {
    let start: number | undefined;
    for (let i = 0; i <= this.#last; i++) {
      if (!this.#used[i]) continue;
      if (this.#base + (i + 1) * this.#width <= from) continue;
      if (this.#base + i * this.#width > to) return start === undefined ? undefined : { start, end: this.#mark[i]! };
      start ??= this.#mark[i]!;
    }
    return start === undefined ? undefined : { start, end: undefined };
  }

  toJSON(): BucketTableState {
    const index: number[] = [];
    for (let i = 0; i <= this.#last; i++) if (this.#used[i]) index.push(i);
    const columns = [...this.#columns].map(([name, column]) => {
      const count = index.map((i) => column.count[i]!);
      const at = (values: Float64Array) => index.map((i) => (column.count[i] === 0 ? null : values[i]!));
      const mean = index.map((i) => (column.count[i] === 0 ? null : column.sum[i]! / column.count[i]!));
      return count.some((n) => n > 1) ? { name, count, mean, min: at(column.min), max: at(column.max) } : { name, count, mean };
    });
    return {
      capacity: this.capacity,
      width: this.#width,
      base: this.#base,
      rows: this.#rows,
      index,
      x: index.map((i) => this.#x[i]!),
      time: index.map((i) => this.#time[i]!),
      columns,
    };
  }

  static fromJSON(state: BucketTableState): BucketTable {
    const table = new BucketTable({ capacity: state.capacity });
    table.#width = state.width;
    table.#base = state.base;
    table.#rows = state.rows;
    state.index.forEach((i, k) => {
      table.#used[i] = 1;
      table.#x[i] = state.x[k]!;
      table.#time[i] = state.time[k]!;
      table.#last = i;
    });
    for (const { name, count, mean, min, max } of state.columns) {
      const column = table.#column(name);
      if (!column) continue;
      state.index.forEach((i, k) => {
        if (count[k] === 0) return;
        column.count[i] = count[k]!;
        column.sum[i] = mean[k]! * count[k]!;
        column.min[i] = min?.[k] ?? mean[k]!;
        column.max[i] = max?.[k] ?? mean[k]!;
      });
    }
    return table;
  }

  #column(name: string): Column | undefined {
    let column = this.#columns.get(name);
    if (column) return column;
    // A writer that names a metric anew in every event would otherwise grow the table without limit.
    if (this.#columns.size >= MOST_COLUMNS) return undefined;
    const make = () => new Float64Array(this.capacity);
    column = { count: make(), sum: make(), min: make(), max: make() };
    this.#columns.set(name, column);
    return column;
  }

  /** The bucket of `x`, after making room for it. */
  #place(x: number): number {
    if (this.#last < 0) {
      // A run that continues another's checkpoint begins at a high step: all buckets count from there.
      this.#width = 1;
      this.#base = x;
      return 0;
    }
    while (Math.floor((x - this.#base) / this.#width) >= this.capacity) this.#mergeNeighbors();
    while (x < this.#base) {
      const shift = Math.ceil((this.#base - x) / this.#width);
      if (this.#last + shift < this.capacity) this.#shift(shift);
      else this.#mergeNeighbors();
    }
    return Math.floor((x - this.#base) / this.#width);
  }

  #mergeNeighbors(): void {
    for (let i = 0; i <= this.#last; i += 2) {
      const into = i >> 1;
      const [a, b] = [i, i + 1];
      const usedB = b <= this.#last && this.#used[b] === 1;
      for (const column of this.#columns.values()) merge(column, a, usedB ? b : -1, into);
      const usedA = this.#used[a] === 1;
      const from = usedA ? a : b;
      const [x, time, mark] = usedA || usedB ? [this.#x[usedB ? b : a]!, this.#time[usedB ? b : a]!, this.#mark[from]!] : [0, 0, 0];
      this.#used[into] = usedA || usedB ? 1 : 0;
      this.#x[into] = x;
      this.#time[into] = time;
      this.#mark[into] = mark;
    }
    const end = (this.#last >> 1) + 1;
    this.#used.fill(0, end);
    for (const column of this.#columns.values()) column.count.fill(0, end);
    this.#last = end - 1;
    this.#width *= 2;
  }

  #shift(by: number): void {
    const all = [this.#x, this.#time, this.#mark, this.#used, ...[...this.#columns.values()].flatMap((c) => [c.count, c.sum, c.min, c.max])];
    for (const array of all) {
      array.copyWithin(by, 0, this.#last + 1);
      array.fill(0, 0, by);
    }
    this.#base -= by * this.#width;
    this.#last += by;
  }
}

function merge(column: Column, a: number, b: number, into: number): void {
  const countA = column.count[a]!;
  const countB = b < 0 ? 0 : column.count[b]!;
  const sum = (countA ? column.sum[a]! : 0) + (countB ? column.sum[b]! : 0);
  const min = Math.min(countA ? column.min[a]! : Infinity, countB ? column.min[b]! : Infinity);
  const max = Math.max(countA ? column.max[a]! : -Infinity, countB ? column.max[b]! : -Infinity);
  column.count[into] = countA + countB;
  column.sum[into] = sum;
  column.min[into] = min;
  column.max[into] = max;
}
