import type { StageReport } from "../core/run-events.js";
import { voxelBytes } from "../core/voxel-bytes.js";

/** Counts what goes through a stage: items, and the voxels in them. */
export class StageTraffic {
  private taken = 0;
  private given = 0;
  private bytesIn = 0;
  private bytesOut = 0;

  take(value: unknown): void {
    this.taken++;
    this.bytesIn += voxelBytes(value);
  }

  give(value: unknown): void {
    this.given++;
    this.bytesOut += voxelBytes(value);
  }

  report(held: number): Pick<StageReport, "in" | "out" | "bytesIn" | "bytesOut" | "bytesHeld"> {
    const { taken, given, bytesIn, bytesOut } = this;
    // Items wait as they came, or where they came without voxels, as in loading, as they go.
    const each = bytesIn > 0 ? bytesIn / taken : given > 0 ? bytesOut / given : 0;
    return { in: taken, out: given, bytesIn, bytesOut, bytesHeld: Math.round(held * each) };
  }
}
