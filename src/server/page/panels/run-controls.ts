import type { RunCommand } from "../../../core/run-events.js";
import { logIn, postJson, runPath, sessionState } from "../data/api-client.js";
import type { LiveRun } from "../data/live-run.js";
import { element, setText } from "../elements/element.js";

const WORDS: Readonly<
  Record<Exclude<RunCommand, "samples">, { readonly title: string; readonly hint: string; readonly asked: string; readonly done: string }>
> = {
  pause: { title: "Pause", hint: "Stand still after the current step", asked: "Pausing after this step…", done: "Paused" },
  resume: { title: "Resume", hint: "Go on with the next step", asked: "Going on…", done: "Resumed" },
  checkpoint: { title: "Save", hint: "Write a checkpoint after the current step", asked: "Saving after this step…", done: "Checkpoint written" },
  stop: { title: "Stop", hint: "Save and end after the current step", asked: "Stopping after this step…", done: "Stopped" },
};
const SILENT_MS = 120_000;
/** What would hold up or end a long training is asked about first. */
const QUESTIONS: Partial<Readonly<Record<RunCommand, string>>> = {
  pause: "The training finishes its step and then stands still, with all its memory and cards, until it is resumed.",
  stop: "The training finishes its step, writes a checkpoint, and ends. It can be continued later from the terminal with --resume.",
};

/** Sends a request to the training of a run; resolves with its id. */
export async function askRun(run: LiveRun, command: RunCommand): Promise<string> {
  const { id } = await postJson<{ id: string }>(runPath(run.id, "control"), { command, session: run.record.start?.t });
  return id;
}

/** Pause or resume, save and stop a run that trains; disabled for those who have not shown the token. */
export function runControls(run: LiveRun): { readonly element: HTMLElement; readonly said: HTMLElement; update(): void; destroy(): void } {
  const said = element("p", { class: "control-said", role: "status" });
  const buttons = new Map(
    (Object.keys(WORDS) as (keyof typeof WORDS)[]).map((command) => [
      command,
      element(
        "button",
        {
          type: "button",
          class: `button small ${command}`,
          "data-command": command,
          disabled: true,
          title: WORDS[command].hint,
          onclick: () => begin(command),
        },
        WORDS[command].title,
      ),
    ]),
  );
  const unlock = element("button", { type: "button", class: "button small", onclick: () => tokenBox.showModal() }, "Unlock…");
  const bar = element("div", { class: "run-controls", role: "group", "aria-label": "Control of the training" }, [...buttons.values()], unlock);
  const question = element("p", {});
  const yes = element("button", { type: "submit", class: "button primary", value: "yes" }, "Yes");
  const confirmBox: HTMLDialogElement = element(
    "dialog",
    { class: "confirm", "aria-labelledby": "confirm-title", onclose: () => answered() },
    element(
      "form",
      { method: "dialog" },
      element("h2", { id: "confirm-title" }, ""),
      question,
      element("div", { class: "dialog-buttons" }, element("button", { type: "submit", class: "button", value: "no" }, "Cancel"), yes),
    ),
  );
  const field = element("input", { type: "password", id: "control-token", autocomplete: "current-password" });
  const wrong = element("p", { class: "problem", role: "alert" });
  const tokenBox: HTMLDialogElement = element(
    "dialog",
    { class: "confirm", "aria-labelledby": "unlock-title" },
    element(
      "form",
      { onsubmit: (event) => void enter(event) },
      element("h2", { id: "unlock-title" }, "Control needs the token"),
      element("p", {}, "It stands in the terminal in which the training or the dashboard was started: the part of the address behind #token=."),
      element("label", { for: "control-token" }, "Token"),
      field,
      wrong,
      element(
        "div",
        { class: "dialog-buttons" },
        element("button", { type: "button", class: "button", onclick: () => tokenBox.close() }, "Cancel"),
        element("button", { type: "submit", class: "button primary" }, "Unlock"),
      ),
    ),
  );
  const root = element("div", { class: "run-control-box" }, bar, confirmBox, tokenBox);
  let rights: { readonly canControl: boolean; readonly hasToken: boolean } | undefined;
  let asked: keyof typeof WORDS | undefined;
  let pending: { readonly id: string; readonly command: keyof typeof WORDS } | undefined;
  let isClosed = false;

  function learn(): void {
    sessionState().then(
      (state) => {
        if (isClosed) return;
        rights = state;
        update();
      },
      // The server cannot be reached, which the page says elsewhere.
      () => {},
    );
  }

  function begin(command: keyof typeof WORDS): void {
    asked = command;
    if (QUESTIONS[command] === undefined) {
      void send(command);
      return;
    }
    setText(confirmBox.querySelector("h2")!, `${WORDS[command].title} ${run.id}?`);
    setText(question, QUESTIONS[command]);
    setText(yes, WORDS[command].title);
    confirmBox.returnValue = "";
    confirmBox.showModal();
  }

  /** Events of two closings may come together: each question is answered once. */
  function answered(): void {
    if (confirmBox.returnValue !== "yes" || !asked) return;
    const command = asked;
    asked = undefined;
    void send(command);
  }

  async function send(command: keyof typeof WORDS): Promise<void> {
    try {
      pending = { id: await askRun(run, command), command };
      setText(said, WORDS[command].asked);
    } catch (error) {
      setText(said, `Not done: ${error instanceof Error ? error.message : String(error)}`);
    }
    update();
  }

  async function enter(event: Event): Promise<void> {
    event.preventDefault();
    try {
      if (!(await logIn(field.value.trim()))) throw new Error("This is not the token that the dashboard was started with.");
      field.value = "";
      setText(wrong, "");
      tokenBox.close();
      learn();
    } catch (error) {
      setText(wrong, error instanceof Error ? error.message : String(error));
    }
  }

  function update(): void {
    const { record } = run;
    const isRunning = record.start !== undefined && record.end === undefined && run.state !== "gone" && record.lastTime > Date.now() - SILENT_MS;
    if (pending && record.controls.last.some(({ id }) => id === pending!.id)) {
      setText(said, `${WORDS[pending.command].done}, at step ${record.step?.step ?? 0}`);
      pending = undefined;
    }
    bar.hidden = !isRunning;
    const may = rights?.canControl === true;
    for (const [command, button] of buttons) {
      button.hidden = command === "pause" ? record.isPaused : command === "resume" ? !record.isPaused : false;
      button.disabled = !may || pending !== undefined;
      button.title = may ? WORDS[command].hint : "Needs the token that was printed when the dashboard was started";
    }
    unlock.hidden = may || rights === undefined || !rights.hasToken;
  }

  learn();
  update();
  return { element: root, said, update, destroy: () => (isClosed = true) };
}
