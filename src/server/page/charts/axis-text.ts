/** Steps and epochs have no fractions. */
export function wholeNumber(value: number): string {
  return Number.isInteger(value) ? compact(value) : "";
}

/** As many digits as tell the marks of an axis apart. */
export function formatAxis(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
  return String(+value.toPrecision(6));
}

/** `12k`, `1.5M`: axis labels stay short. */
function compact(value: number): string {
  if (Math.abs(value) >= 1e6) return `${+(value / 1e6).toFixed(2)}M`;
  if (Math.abs(value) >= 1e4) return `${+(value / 1e3).toFixed(1)}k`;
  return value.toLocaleString("en-US");
}
