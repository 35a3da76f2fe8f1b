import type { ConfusionTables } from "../../cases/read-confusion.js";
import { topConfusions } from "../data/top-confusions.js";
import { card } from "../elements/card.js";
import { element, setText } from "../elements/element.js";
import { formatCount, formatPercent } from "../elements/format.js";
import { table as dataTable } from "../elements/table.js";

const ALL = "";
/** More classes make a table that nobody reads: then what was confused most is listed. */
const MOST_COLUMNS = 24;
const MOST_PAIRS = 40;
const TABLE_HINT =
  "Rows: the true class. Columns: what the network made of it. Each row adds up to 100 %, so the diagonal is the share that was found.";

/** Voxels class against class: what each true class was taken for, over all cases or in one. Hidden while there is none. */
export function confusionPanel(): { readonly element: HTMLElement; show(tables: ConfusionTables | null): void } {
  const choice = element("select", { "aria-label": "Cases of the table", onchange: () => draw() });
  const body = element("div");
  const label = element("label", { class: "select" }, "Of", choice);
  const order = element(
    "select",
    { "aria-label": "Order of the confusions", onchange: () => draw() },
    element("option", { value: "share" }, "share of the class"),
    element("option", { value: "voxels" }, "voxels"),
  );
  const sorted = element("label", { class: "select" }, "By", order);
  const hint = element("p", { class: "hint" });
  const root = card("Class against class", { beside: element("span", { class: "controls" }, sorted, label) }, hint, body);
  let tables: ConfusionTables | null = null;

  function draw(): void {
    if (!tables) return;
    const { classes, confusion } = tables.cases.find(({ id }) => id === choice.value) ? chosen(tables, choice.value) : tables;
    const isTable = classes.length <= MOST_COLUMNS;
    sorted.hidden = isTable;
    setText(hint, isTable ? TABLE_HINT : `What was confused most among ${classes.length} classes; the whole table is in evaluation/confusion.json.`);
    body.replaceChildren(isTable ? drawTable(classes, confusion) : drawList(classes, confusion, order.value === "voxels" ? "voxels" : "share"));
  }

  root.hidden = true;
  return {
    element: root,
    show(next) {
      tables = next;
      root.hidden = next === null;
      if (!next) return;
      const before = choice.value;
      const ids = next.cases.map(({ id }) => id);
      choice.replaceChildren(element("option", { value: ALL }, "all cases"), ...ids.map((id) => element("option", { value: id }, id)));
      choice.value = ids.includes(before) ? before : ALL;
      label.hidden = ids.length < 2;
      draw();
    },
  };
}

function chosen({ classes, cases }: ConfusionTables, wanted: string): Pick<ConfusionTables, "classes" | "confusion"> {
  return { classes, confusion: cases.find(({ id }) => id === wanted)!.confusion };
}

function drawList(classes: readonly string[], confusion: ConfusionTables["confusion"], by: "share" | "voxels"): HTMLElement {
  const rows = topConfusions(classes, confusion, { by, most: MOST_PAIRS }).map(({ truth, predicted, share, voxels }) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, truth),
      element("td", { "data-label": "Taken for" }, predicted),
      element("td", { "data-label": "Share of the class", class: "right number" }, shareText(share)),
      element("td", { "data-label": "Voxels", class: "right number" }, formatCount(voxels)),
    ),
  );
  if (rows.length === 0) return element("p", { class: "empty" }, "Nothing was confused.");
  const heads = ["True class", "Taken for", "Share of the class", "Voxels"];
  return dataTable({ heads, numbers: [2, 3], caption: "What was confused most" }, element("tbody", {}, rows));
}

function drawTable(classes: readonly string[], confusion: ConfusionTables["confusion"]): HTMLElement {
  const cell = (truth: number, predicted: number, count: number, total: number) => {
    const share = total > 0 ? count / total : 0;
    const isRight = truth === predicted;
    const box = element(
      "td",
      {
        class: `right number confusion-cell ${isRight ? "right-class" : "wrong-class"}`,
        title: `${formatCount(count)} voxels of ${classes[truth]} were ${isRight ? "found" : `taken for ${classes[predicted]}`}`,
      },
      element("span", { class: "confusion-share" }, total > 0 ? shareText(share) : "–"),
      element("span", { class: "cell-note" }, formatCount(count)),
    );
    // Small shares of errors are what one looks for: the root makes them visible.
    box.style.setProperty("--share", `${Math.round(Math.sqrt(share) * 100)}%`);
    return box;
  };
  const rows = confusion.map((counts, truth) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, classes[truth], element("span", { class: "cell-note" }, `${formatCount(total)} voxels`)),
      counts.map((count, predicted) => cell(truth, predicted, count, total)),
    );
  });
  return element(
    "div",
    { class: "table-scroll" },
    element(
      "table",
      { class: "confusion" },
      element("caption", { class: "hidden-text" }, "Voxels by true class (rows) and predicted class (columns)"),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("th", { scope: "col" }, "true ↓ predicted →"),
          classes.map((name) => element("th", { scope: "col", class: "right" }, name)),
        ),
      ),
      element("tbody", {}, rows),
    ),
  );
}

/** A few voxels of many are not none. */
function shareText(share: number): string {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return share < 1 && share > 0.9995 ? "> 99.9 %" : formatPercent(share);
}
