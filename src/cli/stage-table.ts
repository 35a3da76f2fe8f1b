import { formatBytes } from "../core/bytes.js";
import type { RunEvent, StageReport } from "../core/run-events.js";

type StagesEvent = Extract<RunEvent, { readonly type: "stages" }>;

export interface StageRow {
  readonly name: string;
  readonly itemsPerSecond: number;
  /** Of what it hands on; undefined where it is not told. */
  readonly bytesPerSecond: number | undefined;
  readonly held: number;
  readonly maxHeld: number;
  readonly bytesHeld: number | undefined;
  readonly running: number;
  readonly concurrency: number | undefined;
  /** Shares of the time, 0..1. */
  readonly busy: number;
  readonly blocked: number;
  readonly starved: number;
  readonly skipped: number;
}

/** The stages of a running graph over the last seconds, as lines of a table. */
export interface StageTable {
  add(event: StagesEvent): void;
  rows(): readonly StageRow[];
  /** Header, one line per stage, memory and verdict; empty before the second report. */
  lines(): readonly string[];
}

/** What is shown are differences over this time: long enough to be steady, short enough to show what changes. */
const WINDOW_MS = 3_000;

export function stageTable(): StageTable {
  const reports: StagesEvent[] = [];

  const rows = (): readonly StageRow[] => {
    const [first, last] = [reports[0], reports.at(-1)];
    if (!first || !last || first === last) return [];
    const seconds = (last.t - first.t) / 1000;
    return last.stages.map((stage) =>
      rowOf(
        stage,
        first.stages.find(({ name }) => name === stage.name),
        seconds,
      ),
    );
  };

  return {
    add(event) {
      const before = reports.at(-1);
      // Another graph, such as after resuming: its totals begin at 0.
      if (before && event.stages.some((stage, at) => stage.out < (before.stages[at]?.out ?? 0))) reports.length = 0;
      reports.push(event);
      while (reports.length > 2 && event.t - reports[1]!.t > WINDOW_MS) reports.shift();
    },
    rows,
    lines() {
      const shown = rows();
      if (shown.length === 0) return [];
      const { bytesInUse, budget, verdict } = reports.at(-1)!;
      const head = ["stage", "items/s", "MB/s", "queue", "held", "jobs", "busy", "blocked", "starved", "skipped"];
      const cells = shown.map((row) => [
        row.name,
        row.itemsPerSecond >= 100 ? row.itemsPerSecond.toFixed(0) : row.itemsPerSecond.toFixed(1),
        row.bytesPerSecond === undefined ? "-" : (row.bytesPerSecond / 1024 ** 2).toFixed(1),
        `${row.held}/${row.maxHeld}`,
        row.bytesHeld === undefined ? "-" : formatBytes(row.bytesHeld),
        row.concurrency === undefined ? String(row.running) : `${row.running}/${row.concurrency}`,
        percent(row.busy),
        percent(row.blocked),
        percent(row.starved),
        String(row.skipped),
      ]);
      // A column without any value only takes room.
      const kept = head
        .map((_, column) => column)
        .filter((column) => cells.some((row) => row[column] !== "-" && (column < 9 || row[column] !== "0")));
      const widths = kept.map((column) => Math.max(head[column]!.length, ...cells.map((row) => row[column]!.length)));
      const line = (row: readonly string[]): string =>
        kept.map((column, at) => (column === 0 ? row[column]!.padEnd(widths[at]!) : row[column]!.padStart(widths[at]!))).join("  ");
      return [line(head), ...cells.map(line), `memory ${formatBytes(bytesInUse)} of ${formatBytes(budget)}${verdict ? `; ${verdict}` : ""}`];
    },
  };
}

function rowOf(now: StageReport, before: StageReport | undefined, seconds: number): StageRow {
  const since = (field: "in" | "out" | "busyMs" | "blockedMs" | "starvedMs"): number => now[field] - (before?.[field] ?? 0);
  const total = since("busyMs") + since("blockedMs") + since("starvedMs");
  const share = (field: "busyMs" | "blockedMs" | "starvedMs"): number => (total > 0 ? since(field) / total : 0);
  // The last stage hands nothing on.
  const isLast = now.out === 0;
  const [bytes, earlier] = isLast ? [now.bytesIn, before?.bytesIn] : [now.bytesOut, before?.bytesOut];
  return {
    name: now.name,
    itemsPerSecond: since(isLast ? "in" : "out") / seconds,
    bytesPerSecond: bytes === undefined ? undefined : (bytes - (earlier ?? 0)) / seconds,
    held: now.held,
    maxHeld: now.maxHeld,
    bytesHeld: now.bytesHeld,
    running: now.running,
    concurrency: now.knobs.concurrency,
    busy: share("busyMs"),
    blocked: share("blockedMs"),
    starved: share("starvedMs"),
    skipped: now.skipped,
  };
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
