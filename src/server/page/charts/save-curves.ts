import { element } from "../elements/element.js";
import { color } from "../elements/theme.js";
import type { Curve } from "./chart.js";

/** Of title and legend in a saved picture. */
const HEAD_HEIGHT = 52;

/** Saves the points of curves as a table, one line each. */
export function saveTable(title: string, axis: string, curves: readonly Curve[]): void {
  const rows = curves.flatMap((curve) => curve.x.map((x, i) => `${quote(curve.label)},${x},${curve.y[i] ?? ""}`));
  save(`${title}.csv`, new Blob([`curve,${axis},value\n${rows.join("\n")}\n`], { type: "text/csv" }));
}

/** Saves what a canvas shows, `width` wide on the page, under its title and the names of its curves. */
export function savePicture(title: string, source: HTMLCanvasElement, width: number, curves: readonly Curve[]): void {
  const scale = source.width / width;
  const head = HEAD_HEIGHT * scale;
  const copy = element("canvas", { width: source.width, height: source.height + head });
  const draw = copy.getContext("2d")!;
  draw.fillStyle = color("surface");
  draw.fillRect(0, 0, copy.width, copy.height);
  draw.drawImage(source, 0, head);
  draw.scale(scale, scale);
  const { fontFamily } = getComputedStyle(document.body);
  draw.fillStyle = color("ink");
  draw.font = `600 14px ${fontFamily}`;
  draw.fillText(title, 12, 20);
  draw.font = `12px ${fontFamily}`;
  let x = 12;
  for (const { label, color: name, look } of curves) {
    if (look === "faint") continue;
    draw.fillStyle = color(name);
    draw.globalAlpha = look === "dashed" ? 0.6 : 1;
    draw.fillRect(x, 35, 14, 3);
    draw.globalAlpha = 1;
    draw.fillStyle = color("muted");
    draw.fillText(label, x + 20, 40);
    x += 36 + draw.measureText(label).width;
  }
  copy.toBlob((blob) => blob && save(`${title}.png`, blob));
}

function quote(text: string): string {
  // A leading = + - @ would be run as a formula by spreadsheets.
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

function save(name: string, blob: Blob): void {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
