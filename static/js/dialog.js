/* The dialog: fragments opened over the page, and questions before what cannot be undone. */

import { make, on, say } from "./dom.js";
import { isDirty } from "./dirty.js";
import { fragment, place } from "./requests.js";

const dialog = () => document.getElementById("dialog");

export async function openDialog(url) {
  const text = await fragment(url, "div#dialog-body");
  if (text === null) return;
  await place(text, document.getElementById("dialog-body"));
  if (!dialog().open) dialog().showModal();
  focusIn(dialog());
}

/** The first thing to fill in, else the overlay itself. */
export function focusIn(overlay) {
  const first = overlay.querySelector("[data-focus], [autofocus], form :is(input:not([type=hidden]), select, textarea)");
  (first ?? overlay.querySelector("h2, button"))?.focus?.();
}

export function closeDialog() {
  if (dialog()?.open) dialog().close();
}

/** Ask in our own dialog. Resolves to whether the person goes on. */
export function ask(question, { yes = say("confirm"), danger = false } = {}) {
  return new Promise((resolve) => {
    const box = make("dialog", { class: "dialog small-dialog", "aria-labelledby": "question" });
    const no = make("button", { class: "button", value: "no" }, say("cancel"));
    const go = make("button", { class: `button primary${danger ? " danger" : ""}`, value: "yes" }, yes);
    box.append(
      make("header", { class: "dialog-head" }, make("h2", { id: "question" }, say("sure"))),
      make("div", { class: "dialog-body" }, make("p", {}, question)),
      make("form", { class: "dialog-foot", method: "dialog" }, no, go),
    );
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue === "yes");
    });
    document.body.append(box);
    box.showModal();
    (danger ? no : go).focus();
  });
}

/** Close an overlay, after asking when something typed in it is not saved. */
export async function closeCarefully(overlay, close) {
  if (isDirty(overlay) && !(await ask(say("unsaved"), { yes: say("discard"), danger: true }))) return;
  close();
}

on("click", "[data-dialog]", (opener, event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openDialog(opener.dataset.url ?? opener.getAttribute("href"));
});
on("click", "[data-dialog-close]", () => closeCarefully(dialog(), closeDialog));
on("mousedown", "dialog.dialog", (box, event) => {
  if (event.target !== box || event.button !== 0) return;
  const { left, right, top, bottom } = box.getBoundingClientRect();
  const outside = event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom;
  if (outside) box === dialog() ? closeCarefully(box, closeDialog) : box.close("no");
});
document.addEventListener("cancel", (event) => {
  if (event.target !== dialog()) return;
  event.preventDefault();
  closeCarefully(dialog(), closeDialog);
}, true);
document.addEventListener("close", (event) => {
  if (event.target === dialog()) document.getElementById("dialog-body").replaceChildren();
}, true);
document.addEventListener("close-dialog", closeDialog);

document.addEventListener("htmx:confirm", async (event) => {
  event.preventDefault();
  const { ctx, issueRequest, dropRequest } = event.detail;
  const source = ctx.sourceElement;
  const yes = source.dataset.yes ?? (source.textContent.trim().slice(0, 24) || say("confirm"));
  (await ask(ctx.confirm, { yes, danger: source.matches("[data-danger], .danger") })) ? issueRequest() : dropRequest();
});

on("submit", "form[data-confirm]:not([hx-post])", async (form, event) => {
  if (form.dataset.confirmed) return;
  event.preventDefault();
  const submitter = event.submitter;
  if (await ask(form.dataset.confirm, { danger: form.matches("[data-danger]") })) {
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
  }
});

on("click", "a[data-confirm]", async (link, event) => {
  event.preventDefault();
  const yes = link.textContent.trim().slice(0, 24) || say("confirm");
  if (await ask(link.dataset.confirm, { yes, danger: link.matches(".danger") })) location.assign(link.href);
});
