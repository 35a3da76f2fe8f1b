import type { RunRecord } from "../../live/run-record.js";
import { sparkline } from "../charts/sparkline.js";
import { element } from "../elements/element.js";
import { formatCount, formatScore } from "../elements/format.js";
import { table } from "../elements/table.js";

type CasesEvents = RunRecord["cases"];

/** A case's Dice after an epoch. */
interface EpochDice {
  readonly epoch: number;
  readonly dice: Readonly<Record<string, number>>;
}

/** The mean Dice over the classes that a case had when it was validated last. */
export function latestDice(events: CasesEvents, id: string): number | undefined {
  const last = trail(events, id).at(-1);
  return last && meanOf(last.dice);
}

/**
 * How a whole validation case scored after an epoch, class by class, how that moved since the validation before, and its curve over all epochs; nothing
 * for a case that did not validate. Without an epoch, the newest.
 */
export function epochScores(events: CasesEvents, id: string, epoch: number | undefined): readonly HTMLElement[] {
  const all = trail(events, id);
  const at = epoch === undefined ? all.length - 1 : all.findIndex((each) => each.epoch === epoch);
  const now = all[at];
  if (!now) return [];
  const before = all[at - 1];
  const names = [...new Set(all.flatMap(({ dice }) => Object.keys(dice)))];
  const row = (name: string, pick: (each: EpochDice) => number | undefined) => {
    const [value, old] = [pick(now), before && pick(before)];
    const best = all.reduce((a, b) => ((pick(b) ?? -1) > (pick(a) ?? -1) ? b : a));
    const curve = all.map((each) => pick(each) ?? null);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", { class: "right number" }, formatScore(value)),
      element("td", { class: "right number" }, value === undefined || old === undefined ? "–" : changeText(value - old)),
      element("td", { class: "right number" }, pick(best) === undefined ? "–" : `${formatScore(pick(best))} (${formatCount(best.epoch)})`),
      element("td", {}, curve.length > 1 ? sparkline(curve, `Dice of ${name} from epoch ${all[0]!.epoch} to ${all.at(-1)!.epoch}`, 96, 22) : "–"),
    );
  };
  const rows = names.map((name) => row(name, ({ dice }) => dice[name]));
  if (names.length > 1) rows.push(row("mean", ({ dice }) => meanOf(dice)));
  const since = before ? `since epoch ${formatCount(before.epoch)}` : "change";
  const heads = ["class", `Dice, epoch ${formatCount(now.epoch)}`, since, "best (epoch)", "all epochs"];
  const caption = `Dice of ${id} by class after epoch ${now.epoch}, on the network's grid`;
  return [table({ heads, numbers: [1, 2, 3], kind: "", caption }, element("tbody", {}, rows))];
}

function trail(events: CasesEvents, id: string): readonly EpochDice[] {
  return events.flatMap(({ epoch, cases }) => {
    const own = cases.find((each) => each.id === id);
    return own ? [{ epoch, dice: own.dice }] : [];
  });
}

function meanOf(dice: Readonly<Record<string, number>>): number | undefined {
  const values = Object.values(dice);
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
}

function changeText(change: number): string {
  if (Math.abs(change) < 0.0005) return "±0";
  return `${change > 0 ? "+" : "−"}${formatScore(Math.abs(change))}`;
}
