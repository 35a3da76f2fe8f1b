import { classColor } from "../../../evaluation/figures/class-color.js";
import { element } from "./element.js";

/** The classes but the background, each with its color in all pictures. */
export function classLegend(classes: readonly string[]): readonly HTMLElement[] {
  return classes.slice(1).map((name, i) => {
    const mark = element("span", { class: "class-mark" });
    mark.style.background = `rgb(${classColor(i + 1).join(" ")})`;
    return element("span", { class: "class-key" }, mark, name);
  });
}
