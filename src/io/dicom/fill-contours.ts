/** A closed line in pixel indices: x along columns, y along rows, one pair after the other. */
export type PixelContour = readonly number[];

/**
 * Calls `take` with each run of pixels whose centers lie inside of the contours of one slice, by the even-odd rule over all of them together: a contour inside of
 * another is a hole, and the narrow channel of a keyhole contour encloses nothing. A center on the line belongs to the area on its right and below, so that areas
 * that share a line share no pixel.
 *
 * @shape columns and rows of the slice; runs from `from` up to `to`, exclusive
 */
export function fillContours(
  contours: readonly PixelContour[],
  columns: number,
  rows: number,
  take: (row: number, from: number, to: number) => void,
): void {
  const crossings: number[][] = [];
  for (const contour of contours) {
    const points = contour.length / 2;
    for (let n = 0; n < points; n++) {
      const next = (n + 1) % points;
      addEdge(contour[2 * n]!, contour[2 * n + 1]!, contour[2 * next]!, contour[2 * next + 1]!, rows, crossings);
    }
  }
  for (const [row, places] of crossings.entries()) {
    if (!places) continue;
    places.sort((a, b) => a - b);
    for (let n = 0; n + 1 < places.length; n += 2) {
      const from = Math.max(0, Math.ceil(places[n]!));
      const to = Math.min(columns, Math.ceil(places[n + 1]!));
      if (from < to) take(row, from, to);
    }
  }
}

/** Where an edge crosses the center lines of rows; each line counts where min ≤ y < max, so that a corner counts once. */
function addEdge(x0: number, y0: number, x1: number, y1: number, rows: number, crossings: number[][]): void {
  const [top, bottom] = y0 < y1 ? [y0, y1] : [y1, y0];
  const first = Math.max(0, Math.ceil(top));
  const last = Math.min(rows, Math.ceil(bottom));
  for (let row = first; row < last; row++) {
    const x = x0 + ((row - y0) / (y1 - y0)) * (x1 - x0);
    const places = crossings[row];
    if (places) places.push(x);
    else crossings[row] = [x];
  }
}
