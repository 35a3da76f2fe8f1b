import { logIn } from "../data/api-client.js";
import { element, setText } from "../elements/element.js";

/** Asks for the token of a dashboard that is not open to everybody; `onDone` is called when the server has taken it. */
export function loginForm(onDone: () => void): HTMLElement {
  const field = element("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  const answer = element("p", { class: "problem", role: "alert" });
  const send = async (event: Event) => {
    event.preventDefault();
    try {
      if (await logIn(field.value.trim())) return onDone();
      setText(answer, "This is not the token that the dashboard was started with.");
    } catch (error) {
      setText(answer, error instanceof Error ? error.message : String(error));
    }
    field.select();
  };
  return element(
    "form",
    { class: "card login", onsubmit: (event) => void send(event) },
    element("h1", {}, "Token needed"),
    element(
      "p",
      { class: "hint" },
      "This dashboard is open to those who know its token. It stands in the terminal in which the dashboard was started.",
    ),
    element("label", { for: "token" }, "Token"),
    field,
    element("button", { type: "submit", class: "button primary" }, "Open the dashboard"),
    answer,
  );
}
