import { describe, expect, it } from "vitest";
import { html, joinHtml, raw } from "../../../src/evaluation/report/html.js";

describe("html", () => {
  it("escapes every value that is not HTML itself", () => {
    expect(html`<b title="${'"x"'}">${"<script>&'"} ${7}${undefined}</b>`.text).toBe('<b title="&quot;x&quot;">&lt;script&gt;&amp;&#39; 7</b>');
    expect(html`<p>${joinHtml([html`<i>${"a<b"}</i>`, raw("<hr>")])}</p>`.text).toBe("<p><i>a&lt;b</i><hr></p>");
  });
});
