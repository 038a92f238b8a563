/* A form is sent once: a second submit waits for the answer to the first, and the server can tell a repetition. */

import { say, uuid } from "./dom.js";
import { toast } from "./toast.js";

const keys = new WeakMap();
const sending = new Set();

/** The key by which the server knows this submission again; the same until it has been accepted. */
export function keyOf(form) {
  if (!keys.has(form)) keys.set(form, uuid());
  return keys.get(form);
}

/** Go on with the key of an earlier attempt that was never answered. */
export const useKey = (form, key) => keys.set(form, key);

document.addEventListener("formdata", ({ target, formData }) => {
  if (!target.matches("[data-once]")) return;
  formData.set("_once", keyOf(target));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post" && !form.matches("[hx-post]")) return;
  if (form.querySelector(".uploading")) {
    stop(event);
    toast(say("uploading"), { kind: "warn" });
  } else if (sending.has(form)) stop(event);
  else if (form.matches("[data-once]")) begin(form, event.submitter);
}, true);

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function begin(form, button) {
  sending.add(form);
  if (button) button.ariaBusy = "true";
  if (!form.matches("[hx-post]")) setTimeout(() => form.isConnected && end(form), 15000);
}

function end(form) {
  sending.delete(form);
  form.querySelectorAll('[aria-busy="true"]').forEach((button) => (button.ariaBusy = null));
}

document.addEventListener("htmx:finally:request", ({ detail }) => {
  const form = detail.ctx.request.form ?? detail.ctx.sourceElement;
  if (sending.has(form)) end(form);
});
addEventListener("pageshow", (event) => event.persisted && [...sending].forEach(end));
