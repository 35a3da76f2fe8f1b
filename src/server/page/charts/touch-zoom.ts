import type { ZoomRange } from "./chart.js";

/** A chart as fingers find it. */
export interface TouchTarget {
  /** The part of the page that the axis spans; undefined while nothing is drawn. */
  box(): DOMRect | undefined;
  /** What is shown now, and all that could be. */
  shown(): ZoomRange;
  whole(): ZoomRange;
  /** Reads the values at a distance from the left edge. */
  read(left: number): void;
  /** Draws a part while the fingers move. */
  preview(range: ZoomRange): void;
  /** The fingers are gone; undefined for all. */
  commit(range: ZoomRange | undefined): void;
}

/** Places on the axis that a zoom must hold. */
export const LEAST_WIDTH = 4;
const LEAST_SPREAD = 12;
const MOVED = 6;
const DOUBLE_TAP_MS = 350;

/**
 * Two fingers zoom a chart, one moves the part that is shown or reads the values of a whole chart, two taps show all. Up and down the page scrolls as ever.
 * Returns whether fingers are on it.
 */
export function touchZoom(area: HTMLElement, target: TouchTarget): () => boolean {
  /** Where on the axis the fingers have taken hold. */
  let held: readonly number[] = [];
  let began: readonly number[] = [];
  let drawn: ZoomRange | undefined;
  let hasMoved = false;
  let tapped = 0;

  const places = ({ touches }: TouchEvent): readonly number[] => {
    const left = target.box()?.left ?? 0;
    return [...touches].slice(0, 2).map(({ clientX }) => clientX - left);
  };

  function hold(event: TouchEvent): void {
    const box = target.box();
    if (!box || box.width === 0) return;
    const { from, to } = drawn ?? target.shown();
    began = places(event);
    held = began.map((left) => from + (left / box.width) * (to - from));
  }

  function move(event: TouchEvent): void {
    const box = target.box();
    const now = places(event);
    if (!box || now.length === 0) return;
    if (now.length !== held.length) hold(event);
    const whole = target.whole();
    const shown = drawn ?? target.shown();
    hasMoved ||= now.length > 1 || Math.abs(now[0]! - began[0]!) > MOVED;
    if (now.length === 1) {
      const isZoomed = shown.from > whole.from || shown.to < whole.to;
      if (!isZoomed) target.read(now[0]!);
      else if (hasMoved) draw(held[0]! - (now[0]! / box.width) * (shown.to - shown.from), shown.to - shown.from);
      return;
    }
    event.preventDefault();
    const spread = now[1]! - now[0]!;
    const wanted = held[1]! - held[0]!;
    // Fingers that cross, or lie on each other, tell no width.
    if (Math.abs(spread) < LEAST_SPREAD || wanted / spread <= 0) return;
    const width = Math.max(LEAST_WIDTH, Math.min(whole.to - whole.from, (wanted / spread) * box.width));
    draw(held[0]! - (now[0]! / box.width) * width, width);
  }

  function draw(from: number, width: number): void {
    const whole = target.whole();
    const first = Math.max(whole.from, Math.min(whole.to - width, from));
    drawn = { from: first, to: Math.min(whole.to, first + width) };
    target.preview(drawn);
  }

  function lift(event: TouchEvent): void {
    if (event.touches.length > 0) {
      hold(event);
      return;
    }
    const [range, whole] = [drawn, target.whole()];
    drawn = undefined;
    held = [];
    const isDouble = !hasMoved && event.timeStamp - tapped < DOUBLE_TAP_MS;
    tapped = hasMoved ? 0 : event.timeStamp;
    hasMoved = false;
    if (isDouble) target.commit(undefined);
    else if (range) {
      const rounded = { from: Math.floor(range.from), to: Math.ceil(range.to) };
      target.commit(rounded.from <= whole.from && rounded.to >= whole.to ? undefined : rounded);
    }
  }

  area.addEventListener("touchstart", hold, { passive: true });
  area.addEventListener("touchmove", move, { passive: false });
  area.addEventListener("touchend", lift);
  area.addEventListener("touchcancel", lift);
  return () => held.length > 0;
}
