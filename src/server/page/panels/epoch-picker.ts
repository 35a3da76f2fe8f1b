import type { VolumeMoment } from "../data/volume-subject.js";
import { element, setText } from "../elements/element.js";
import { formatCount } from "../elements/format.js";

/** Chooses among what is kept of a case: earlier epochs, and the final prediction. Hidden where there is no choice. */
export interface EpochPicker {
  readonly element: HTMLElement;
  readonly chosen: number;
  /** Whether the newest is chosen, which is then followed as more come. */
  readonly isAtEnd: boolean;
  /** Goes to a moment of these, without telling. */
  show(moments: readonly VolumeMoment[], index: number): void;
  /** As if the buttons were pressed. */
  step(by: number): void;
}

/** `epoch 10`, or `final`. */
export function momentName({ epoch }: VolumeMoment): string {
  return epoch === undefined ? "final" : `epoch ${formatCount(epoch)}`;
}

export function epochPicker(onChoose: () => void): EpochPicker {
  let known: readonly VolumeMoment[] = [];
  const slider = element("input", { type: "range", min: 0, max: 0, step: 1, oninput: () => name(), onchange: onChoose });
  const output = element("output", { class: "number" });
  const arrow = (by: number, text: string, label: string) =>
    element("button", { type: "button", class: "quiet epoch-step", "aria-label": label, title: label, onclick: () => step(by) }, text);
  const [earlier, later] = [arrow(-1, "‹", "Earlier epoch"), arrow(1, "›", "Later epoch")];
  const root = element("span", { class: "epoch-picker" }, element("label", { class: "slider" }, "Epoch", slider), earlier, output, later);

  function name(): void {
    const at = known[Number(slider.value)];
    const text = at ? momentName(at).replace("epoch ", "") : "";
    setText(output, text);
    slider.setAttribute("aria-valuetext", at ? momentName(at) : "none");
    earlier.disabled = Number(slider.value) <= 0;
    later.disabled = Number(slider.value) >= known.length - 1;
  }

  function step(by: number): void {
    const next = Number(slider.value) + by;
    if (next < 0 || next >= known.length) return;
    slider.value = String(next);
    name();
    onChoose();
  }

  return {
    element: root,
    get chosen() {
      return Number(slider.value);
    },
    get isAtEnd() {
      return Number(slider.value) >= known.length - 1;
    },
    show(moments, index) {
      known = moments;
      slider.max = String(Math.max(0, moments.length - 1));
      slider.value = String(index);
      root.hidden = moments.length < 2;
      name();
    },
    step,
  };
}
