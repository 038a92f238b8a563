/* Formatted text: an editor over the textarea, fetched when the first one is seen. Without it the textarea serves. */

import { make, say, whenever } from "./dom.js";

let fetched;
const TOOLS = [[{ header: [1, 2, 3, false] }], ["bold", "italic", "underline", "strike"], [{ list: "ordered" }, { list: "bullet" }], [{ align: [] }], ["blockquote", "link"], ["clean"]];

function ready() {
  return (fetched ??= import("../vendor/quill.min.js").then(
    () => {
      document.head.append(make("link", { rel: "stylesheet", href: new URL("../vendor/quill.snow.css", import.meta.url).pathname }));
      return window.Quill;
    },
    () => null,
  ));
}

/* Names of the tools, for the pointer and for screen readers. */
function named(rich) {
  for (const part of rich.querySelectorAll(".ql-toolbar :is(button, .ql-picker-label, .ql-picker-item)")) {
    const tool = part.closest("button, .ql-picker").className.match(/ql-(?!picker|active|expanded|icon)(\w+)/)?.[1];
    const value = part.value || part.dataset.value || "";
    const heading = tool === "header" && !part.matches(".ql-picker-label");
    const word = heading ? (value ? say("rich_heading", { level: value }) : say("rich_normal")) : say(`rich_${tool}${value && tool !== "header" ? `_${value}` : ""}`);
    part.title = word;
    part.setAttribute("aria-label", word);
    if (tool === "header") part.dataset.label = heading ? word : say("rich_normal");
  }
  const tooltip = rich.querySelector(".ql-tooltip");
  Object.assign(tooltip.dataset, { visit: say("rich_visit"), enter: say("rich_enter") });
  Object.assign(tooltip.querySelector(".ql-action").dataset, { word: say("edit"), save: say("save") });
  tooltip.querySelector(".ql-remove").dataset.word = say("remove");
}

const htmlOf = (quill) => (quill.getText().trim() ? quill.getSemanticHTML().replaceAll("&nbsp;", " ") : "");

whenever("[data-rich]", async (rich) => {
  const area = rich.querySelector("textarea");
  const Quill = await ready();
  if (!Quill || !rich.isConnected || area.disabled || rich.querySelector(".ql-container")) return;
  const page = make("div");
  const written = area.value;
  rich.append(page);
  const quill = new Quill(page, { theme: "snow", placeholder: area.placeholder, modules: { toolbar: TOOLS }, formats: ["header", "bold", "italic", "underline", "strike", "list", "align", "indent", "blockquote", "link"] });
  quill.clipboard.dangerouslyPasteHTML(/<[a-z]/i.test(written) ? written : "", "silent");
  if (written && !/<[a-z]/i.test(written)) quill.setText(written, "silent");
  named(rich);
  area.hidden = true;
  for (const [name, value] of [["role", "textbox"], ["aria-multiline", "true"], ["aria-label", rich.dataset.label], ["aria-describedby", area.getAttribute("aria-describedby")], ["id", `${area.id}-editor`]]) if (value) quill.root.setAttribute(name, value);
  quill.root.style.minHeight = `${area.rows * 1.5}em`;
  quill.history.clear();
  quill.on("text-change", () => {
    area.value = htmlOf(quill);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  quill.root.addEventListener("blur", () => area.dispatchEvent(new Event("change", { bubbles: true })));
});
