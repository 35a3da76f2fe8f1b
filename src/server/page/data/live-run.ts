import type { RunEvent } from "../../../core/run-events.js";
import { readEvent } from "../../live/read-event.js";
import { RunRecord } from "../../live/run-record.js";
import type { RunSummary } from "../../live/summarize-run.js";
import type { RunSnapshot } from "../../live/watched-run.js";
import { ApiError, getJson, runPath } from "./api-client.js";

export type LiveState = "loading" | "live" | "reconnecting" | "gone";

/** Redraws at most this often, however fast the events come. */
const DRAW_MS = 250;
const RETRY_MS = 1500;

/**
 * One run, followed live: loads its snapshot once, folds in every event that comes after it, and calls `onChange` a few times a second at most.
 * The stream goes on at the last anchor after a lost connection or a restart of the server, so no event is missed or counted twice. It rests while the
 * page is hidden (browsers allow six streams per server for all tabs together).
 */
export class LiveRun {
  readonly id: string;
  record = new RunRecord();
  summary: RunSummary | undefined;
  state: LiveState = "loading";
  error: string | undefined;
  /** Grows when the record was replaced as a whole. */
  generation = 0;
  readonly #onChange: () => void;
  #anchor = "";
  #stream: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawTimer: ReturnType<typeof setTimeout> | undefined;
  #lastDraw = 0;
  #isClosed = false;
  readonly #onVisibility = () => (document.hidden ? this.#rest() : this.#connect());

  constructor(id: string, onChange: () => void) {
    this.id = id;
    this.#onChange = onChange;
    document.addEventListener("visibilitychange", this.#onVisibility);
    void this.#load();
  }

  close(): void {
    this.#isClosed = true;
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#rest();
    clearTimeout(this.#drawTimer);
  }

  async #load(): Promise<void> {
    try {
      const { summary, anchor, record } = await getJson<RunSnapshot>(runPath(this.id));
      if (this.#isClosed) return;
      this.record = RunRecord.fromJSON(record);
      this.summary = summary;
      this.#anchor = anchor;
      this.error = undefined;
      this.generation++;
      if (summary.progress < 1) {
        // The server is still reading a long file: show what it has, and ask again.
        this.#later(() => this.#load(), 300);
      } else this.#connect();
      this.#change();
    } catch (error) {
      if (this.#isClosed) return;
      this.error = error instanceof Error ? error.message : String(error);
      if (error instanceof ApiError && error.status === 404) this.#set("gone");
      else {
        this.#set("reconnecting");
        this.#later(() => this.#load(), RETRY_MS);
      }
    }
  }

  #connect(): void {
    if (this.#isClosed || this.state === "gone" || this.#stream || this.#anchor === "" || document.hidden) return;
    const stream = new EventSource(`${runPath(this.id, "events")}?after=${encodeURIComponent(this.#anchor)}`);
    this.#stream = stream;
    stream.addEventListener("hello", () => this.#set("live"));
    stream.addEventListener("events", (message: MessageEvent<string>) => {
      for (const value of JSON.parse(message.data) as unknown[]) {
        const event: RunEvent | undefined = readEvent(value);
        if (event) this.record.apply(event);
      }
      this.#anchor = message.lastEventId;
      this.#change();
    });
    stream.addEventListener("reset", () => {
      this.#rest();
      void this.#load();
    });
    stream.addEventListener("gone", () => {
      this.#rest();
      this.#set("gone");
    });
    stream.addEventListener("error", () => {
      this.#set("reconnecting");
      // The browser tries again by itself, except after an answer that is not a stream.
      if (stream.readyState !== EventSource.CLOSED) return;
      this.#rest();
      this.#later(() => this.#load(), RETRY_MS);
    });
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#stream?.close();
    this.#stream = undefined;
  }

  #later(action: () => void, ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms);
  }

  #set(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    this.#change();
  }

  #change(): void {
    if (this.#drawTimer !== undefined || this.#isClosed) return;
    this.#drawTimer = setTimeout(
      () => {
        this.#drawTimer = undefined;
        this.#lastDraw = performance.now();
        this.#onChange();
      },
      Math.max(0, this.#lastDraw + DRAW_MS - performance.now()),
    );
  }
}
