import type { StageActivity } from "../data/stage-activity.js";
import { element } from "../elements/element.js";
import { formatBytes, formatCount, formatPercent, formatPlural, formatRate } from "../elements/format.js";

/** What the workers and the cache of a graph do, and how much goes through, in a few numbers. */
export function pipelineFacts(activities: readonly StageActivity[], threads: number | undefined): readonly HTMLElement[] {
  const names = activities.map(({ report }) => report.name);
  const last = activities.findLast(({ report }) => !report.to.some((next) => names.includes(next)));
  const working = activities.filter(({ report }) => report.knobs.concurrency !== undefined);
  const jobs = working.reduce((sum, { report }) => sum + report.running, 0);
  const most = working.reduce((sum, { report }) => sum + report.knobs.concurrency!, 0);
  const held = activities.reduce((sum, { report }) => sum + (report.bytesHeld ?? 0), 0);
  const skipped = activities.reduce((sum, { report }) => sum + report.skipped, 0);
  const rows: (readonly [string, string])[] = [];
  if (last?.perSecond !== undefined) rows.push([`Into the ${last.report.name}`, `${formatRate(last.perSecond)} items/s${bytesText(last)}`]);
  if (working.length > 0) {
    rows.push([
      "Workers",
      `${formatCount(jobs)} of ${formatPlural(most, "job")} at work${threads === undefined ? "" : `; ${formatPlural(threads, "thread")} in the process`}`,
    ]);
  }
  rows.push(...activities.flatMap(cacheText));
  if (held > 0) rows.push(["Held by the stages", formatBytes(held)]);
  rows.push(["Left out", skipped === 0 ? "nothing" : formatPlural(skipped, "sample")]);
  return rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", { class: "number" }, value)));
}

function bytesText({ report, perSecond }: StageActivity): string {
  const { in: items, bytesIn } = report;
  return bytesIn === undefined || items === 0 || perSecond === undefined ? "" : `, ${formatBytes((bytesIn / items) * perSecond)}/s`;
}

/** Of a stage that counts what it found in the cache. */
function cacheText({ report: { name, counters = {} } }: StageActivity): readonly (readonly [string, string])[] {
  const found = counters["from the cache"];
  if (found === undefined) return [];
  const all = found + (counters.made ?? 0);
  return [
    [
      name === "cached" ? "Cache" : `Cache of ${name}`,
      `${formatCount(found)} of ${formatPlural(all, "case")} (${formatPercent(all > 0 ? found / all : undefined)})`,
    ],
  ];
}
