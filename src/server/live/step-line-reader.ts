import type { RunEvent } from "../../core/run-events.js";
import { parseEvent } from "./parse-event.js";

type StepEvent = Extract<RunEvent, { readonly type: "step" }>;

const [ZERO, NINE, POINT, MINUS, PLUS, SMALL_E, LARGE_E] = [48, 57, 46, 45, 43, 101, 69] as const;
const POWERS = Float64Array.from({ length: 23 }, (_, k) => 10 ** k);
/** Lines whose text is learned; a writer that changes it all the time is read the careful way. */
const MOST_LESSONS = 50;

/**
 * Reads the lines of one writer's steps without parsing JSON: all of them have the same text between their numbers, so that text is learned from the first and
 * only compared in the others. A line that differs in anything is left to the JSON parser. Numbers of more than 15 digits may differ from theirs in the last
 * bit, which no curve shows; it decides how soon a long run is shown.
 */
export class StepLineReader {
  /** Of the line read last. */
  time = 0;
  step = 0;
  /** The same array as long as the same numbers are written. */
  names: readonly string[] = [];
  /** Values of `names`; overwritten by the next line. */
  values = new Float64Array(0);
  #texts: readonly string[] = [];
  #slots: { readonly time: number; readonly step: number; readonly values: readonly number[] } = { time: 0, step: 0, values: [] };
  #numbers = new Float64Array(0);
  #start = 0;
  #stop = 0;
  #source = "";
  #lessons = 0;

  /** Reads `text` from `start` to `stop`, a line without its newline. Returns false for a line that does not fit what was learned. */
  read(text: string, start: number, stop: number): boolean {
    const texts = this.#texts;
    const numbers = this.#numbers;
    const last = texts.length - 1;
    if (last < 1) return false;
    let at = start;
    for (let k = 0; k < last; k++) {
      const literal = texts[k]!;
      if (!text.startsWith(literal, at)) return false;
      at += literal.length;
      const from = at;
      // Up to 17 digits are added up on the way; numbers with an exponent or more digits take the slow conversion.
      let whole = 0;
      let digits = 0;
      let decimals = 0;
      let isPlain = true;
      let isNegative = false;
      for (; at < stop; at++) {
        const code = text.charCodeAt(at);
        if (code >= ZERO && code <= NINE) {
          whole = whole * 10 + (code - ZERO);
          if (whole !== 0) digits++;
          decimals++;
        } else if (code === POINT && isPlain && !hasPoint(decimals)) decimals = 0x100;
        else if (code === MINUS && at === from) isNegative = true;
        else if (code === POINT || code === MINUS || code === PLUS || code === SMALL_E || code === LARGE_E) isPlain = false;
        else break;
      }
      if (at === from) return false;
      const places = hasPoint(decimals) ? decimals - 0x100 : 0;
      const isFast = isPlain && digits <= 17 && places <= 22 && !(decimals === 0 || (hasPoint(decimals) && places === 0));
      const size = isFast ? whole / POWERS[places]! : Number(text.slice(from, at));
      if (Number.isNaN(size)) return false;
      const value = isFast && isNegative ? -size : size;
      numbers[k] = value;
    }
    if (at + texts[last]!.length !== stop || !text.startsWith(texts[last]!, at)) return false;
    const { time, step, values } = this.#slots;
    this.time = numbers[time]!;
    this.step = numbers[step]!;
    if (!(this.step >= 0 && Number.isSafeInteger(this.step))) return false;
    for (let i = 0; i < values.length; i++) this.values[i] = numbers[values[i]!]!;
    this.#source = text;
    this.#start = start;
    this.#stop = stop;
    return true;
  }

  /** The whole event of the line read last. */
  event(): StepEvent {
    return parseEvent(this.#source.slice(this.#start, this.#stop)) as StepEvent;
  }

  /** Learns the text around the numbers of a line that was parsed as a step. */
  learn(line: string): void {
    if (this.#lessons++ >= MOST_LESSONS) return;
    const texts: string[] = [];
    let from = 0;
    let isInString = false;
    for (let at = 0; at < line.length; at++) {
      const char = line[at]!;
      if (isInString && char === "\\") at++;
      else if (char === '"') isInString = !isInString;
      else if (!isInString && /[-\d]/.test(char)) {
        texts.push(line.slice(from, at));
        while (at < line.length && /[-+.eE\d]/.test(line[at]!)) at++;
        from = at;
        at--;
      }
    }
    texts.push(line.slice(from));
    // With the numbers counted through, parsing tells which one stands where.
    const places = JSON.parse(texts.map((text, k) => (k < texts.length - 1 ? text + k : text)).join("")) as Record<string, unknown>;
    const columns = [
      ...Object.entries(places).filter(([name]) => CURVES.includes(name)),
      ...Object.entries(places.metrics ?? {}).map(([name, k]) => [`metric/${name}`, k] as const),
    ];
    const isPlain = [places.t, places.step, places.epoch, ...columns.map(([, k]) => k)].every((k) => typeof k === "number");
    // Names beyond the limits of the careful way take the careful way.
    if (!isPlain || columns.length > 40 || columns.some(([name]) => name.length > 100)) {
      this.#texts = [];
      return;
    }
    this.#texts = texts;
    this.#numbers = new Float64Array(texts.length);
    this.#slots = { time: places.t as number, step: places.step as number, values: columns.map(([, k]) => k as number) };
    this.names = columns.map(([name]) => name);
    this.values = new Float64Array(columns.length);
  }
}

/** Decimals are counted from 0x100 on once the point was seen. */
function hasPoint(decimals: number): boolean {
  return decimals >= 0x100;
}

const CURVES = ["loss", "learningRate", "waitMs", "stepMs"];
