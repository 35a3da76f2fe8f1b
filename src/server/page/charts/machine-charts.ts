import type { LiveRun } from "../data/live-run.js";
import { element } from "../elements/element.js";
import { formatBytes, formatPercent } from "../elements/format.js";
import { Chart, type Curve } from "./chart.js";

/** Powers of two: marks of 512 MB and 1 GB, not of 954 MB. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);
/** A trail shorter than this is marked in seconds. */
const SHORT_S = 600;

/** What the training and its machine used over time: processor, memory, and graphics cards where there are any. */
export function machineCharts(run: LiveRun): { readonly element: HTMLElement; update(): void; destroy(): void } {
  let isShort = true;
  const clock = (seconds: number) =>
    new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(isShort ? { second: "2-digit" } : {}) });
  const shared = { axis: "time", xText: clock, height: 150, fromZero: true, sync: "machine" };
  const cores = new Chart({ ...shared, title: "Processor", format: (value) => (value === null || value === undefined ? "–" : value.toFixed(1)) });
  const memory = new Chart({ ...shared, title: "Memory", format: formatBytes, axisFormat: formatBytes, increments: BYTE_STEPS });
  const load = new Chart({ ...shared, title: "Graphics cards: load", format: formatPercent, axisFormat: formatPercent });
  const video = new Chart({ ...shared, title: "Graphics cards: memory", format: formatBytes, axisFormat: formatBytes, increments: BYTE_STEPS });
  const charts = [cores, memory, load, video];
  const empty = element("p", { class: "hint" }, "The training has not reported yet what it uses; runs of earlier versions do not.");
  const root = element(
    "div",
    { class: "charts machine" },
    empty,
    charts.map((chart) => chart.element),
  );
  const options = { log: false, range: undefined };

  function update(): void {
    const { use, system } = run.record;
    const has = use.names.length > 0;
    empty.hidden = has;
    cores.element.hidden = !has;
    memory.element.hidden = !has;
    const cards = use.names.filter((name) => name.startsWith("gpu/"));
    load.element.hidden = !cards.some((name) => name.endsWith("/load"));
    video.element.hidden = !cards.some((name) => name.endsWith("/memoryBytes"));
    if (!has) return;
    const { x: times } = use.points("cores");
    isShort = times[times.length - 1]! - times[0]! < SHORT_S;
    const curve = (name: string, label: string, i: number): Curve => {
      const { x, mean } = use.points(name);
      return { label, color: `series-${(i % 8) + 1}`, x, y: mean };
    };
    cores.update([curve("cores", "cores busy with the training", 0)], options);
    memory.update([curve("rssBytes", "the training", 0), curve("machineBytes", "all of the machine", 1)], options);
    const named = (name: string) => `${system?.gpus?.[Number(name.split("/")[1])]?.name ?? "card"} ${name.split("/")[1]}`;
    load.update(
      cards.filter((name) => name.endsWith("/load")).map((name, i) => curve(name, named(name), i)),
      options,
    );
    video.update(
      cards.filter((name) => name.endsWith("/memoryBytes")).map((name, i) => curve(name, named(name), i)),
      options,
    );
  }

  return {
    element: root,
    update,
    destroy: () => {
      for (const chart of charts) chart.destroy();
    },
  };
}
