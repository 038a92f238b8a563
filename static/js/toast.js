/* Short messages in the corner, with an action such as undo. */

import { icon, make, on, say, whenever } from "./dom.js";

const ICONS = { good: "good", error: "error", warn: "warn" };
const STAY = { error: 12000, undo: 9000, other: 5000 };

/** Show a message. `action` is `{text, href}` or `{text, act}`; `undo` is a URL to post to. */
export function toast(text, { kind = "good", undo = "", action = null } = {}) {
  const box = make("div", { class: `toast ${kind}`, role: kind === "error" ? "alert" : "status", "data-toast": true }, icon(ICONS[kind] ?? "info"), make("div", { class: "grow" }, text));
  if (undo) box.append(make("button", { type: "button", "data-undo": undo }, say("undo")));
  if (action?.href) box.append(make("a", { href: action.href, target: "_blank", rel: "noopener" }, action.text));
  if (action?.act) {
    const button = make("button", { type: "button" }, action.text);
    button.addEventListener("click", () => {
      action.act();
      dismiss(box);
    });
    box.append(button);
  }
  box.append(make("button", { type: "button", class: "icon-button", "data-toast-close": true, "aria-label": say("dismiss"), title: say("dismiss") }, icon("close")));
  document.getElementById("toasts").append(box);
  return box;
}

export function dismiss(box) {
  box.classList.add("leaving");
  setTimeout(() => {
    box.remove();
    const region = document.getElementById("toasts");
    if (region && !region.childElementCount && region.matches(":popover-open")) region.hidePopover();
  }, 180);
}

/* The region is put above an open dialog each time something is said. */
whenever("[data-toast]", (box) => {
  const region = document.getElementById("toasts");
  if (region?.matches(":popover-open")) region.hidePopover();
  region?.showPopover?.();
  const stay = box.querySelector("[data-undo]") ? STAY.undo : box.classList.contains("error") ? STAY.error : STAY.other;
  let timer = setTimeout(() => dismiss(box), stay);
  const hold = () => clearTimeout(timer);
  const release = () => {
    hold();
    timer = setTimeout(() => dismiss(box), stay / 2);
  };
  box.addEventListener("pointerenter", hold);
  box.addEventListener("focusin", hold);
  box.addEventListener("pointerleave", release);
  box.addEventListener("focusout", release);
});

on("click", "[data-toast-close]", (button) => dismiss(button.closest("[data-toast]")));
on("click", "[data-undo]", (button) => {
  dismiss(button.closest("[data-toast]"));
  window.htmx.ajax("POST", button.dataset.undo, { target: document.body, swap: "none" });
});
document.addEventListener("toast", ({ detail }) => toast(detail.text ?? detail.value, detail));
