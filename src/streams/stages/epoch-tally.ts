/** Epochs that are remembered: more than any stage has inside at once. */
const REMEMBERED = 8;

/** Counts the items and skips of a stage by epoch, to notice epochs of which nothing is left. */
export class EpochTally {
  private readonly epochs = new Map<number, { items: number; skips: number }>();
  private latest = -1;
  private hasSkips = false;

  /** Returns whether it is the first item of its epoch. */
  countItem(epoch: number): boolean {
    let counts = this.epochs.get(epoch);
    const isFirst = counts === undefined;
    if (!counts) {
      counts = { items: 0, skips: 0 };
      this.epochs.set(epoch, counts);
      this.latest = Math.max(this.latest, epoch);
      for (const old of this.epochs.keys()) if (old < this.latest - REMEMBERED) this.epochs.delete(old);
    }
    counts.items++;
    return isFirst;
  }

  countSkip(epoch: number): void {
    this.hasSkips = true;
    const counts = this.epochs.get(epoch);
    if (counts) counts.skips++;
  }

  /**
   * Whether all items of two whole epochs in a row were skipped: endless epochs would then run for ever and deliver nothing. Two, because the first epoch
   * of a resumed run may be a short rest.
   */
  get isBarren(): boolean {
    if (!this.hasSkips) return false;
    const isLost = (epoch: number): boolean => {
      const counts = this.epochs.get(epoch);
      return counts !== undefined && epoch < this.latest && counts.items === counts.skips;
    };
    return [...this.epochs.keys()].some((epoch) => isLost(epoch) && isLost(epoch + 1));
  }
}
