/* Live values: the form is posted as it stands, the answer is morphed in; nothing typed meanwhile is touched. */

import { fragment, place } from "./requests.js";

const DELAY = 300;
const touched = new WeakMap();
const waiting = new WeakMap();

const namesOf = (form) => touched.get(form) ?? touched.set(form, new Set()).get(form);

const restoring = new WeakSet();

/** Whether this form is being filled from a draft, so that even its files are drawn anew. */
export const isRestoring = (form) => restoring.has(form);

/** Ask the server how the form stands with these answers, and draw all of it. */
export async function restore(form, data) {
  restoring.add(form);
  await refresh(form, data);
  restoring.delete(form);
}

/** Ask the server how the form stands; `data` is what to ask about, the form itself by default. */
export async function refresh(form, data = new FormData(form)) {
  stop(form);
  const control = new AbortController();
  waiting.set(form, { control });
  data.set("_touched", JSON.stringify([...namesOf(form)]));
  const text = await fragment(form.dataset.live, `form#${form.id}`, { method: "POST", body: data, signal: control.signal, headers: { "X-CSRF-Token": data.get("csrf_token") ?? "" } });
  if (text === null || control.signal.aborted || !form.isConnected) return;
  await place(text, form, "outerMorph");
  form.dispatchEvent(new CustomEvent("live", { bubbles: true }));
}

function stop(form) {
  const before = waiting.get(form);
  clearTimeout(before?.timer);
  before?.control?.abort();
}

/* An answer that is on its way is out of date the moment something else is typed. */
function changed(event) {
  const form = event.target.closest?.("form[data-live]");
  if (!form) return;
  if (event.target.name) namesOf(form).add(event.target.name);
  stop(form);
  waiting.set(form, { timer: setTimeout(() => refresh(form), event.type === "change" ? 60 : DELAY) });
}

document.addEventListener("input", changed);
document.addEventListener("change", changed);
document.addEventListener("submit", (event) => stop(event.target), true);
