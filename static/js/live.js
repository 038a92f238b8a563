/* Live values: the form is posted as it stands, the answer is morphed in; nothing typed meanwhile is touched. */

import { fragment, place } from "./requests.js";

const DELAY = 300;
const touched = new WeakMap();
const waiting = new WeakMap();

const just = new WeakMap();
const pending = new WeakMap();

/** The fields whose values came from a person: typed here, or brought by the form itself. */
const namesOf = (form) => touched.get(form) ?? touched.set(form, new Set((form.dataset.touched ?? "").split(",").filter(Boolean))).get(form);
/** The events of the form that are still to be asked: another program's answer fills fields. */
const pendingIn = (form) => pending.get(form) ?? pending.set(form, new Set()).get(form);
const justIn = (form) => just.get(form) ?? just.set(form, new Set()).get(form);

const restoring = new WeakSet();

/** Whether this form is being filled from a draft, so that even its files are drawn anew. */
export const isRestoring = (form) => restoring.has(form);

/** Ask the server how the form stands with these answers, and draw all of it. */
export async function restore(form, data) {
  restoring.add(form);
  for (const name of data.keys()) if (!name.startsWith("_")) namesOf(form).add(name);
  await refresh(form, data, false);
  for (const cell of form.querySelectorAll("[data-rows] td[data-column]")) cell.dataset.typed = "";
  restoring.delete(form);
}

/* The cells of subforms that somebody has filled in, wherever their rows have come to stand. */
function typedIn(form) {
  return [...form.querySelectorAll("[data-rows]")].flatMap((subform) =>
    [...subform.querySelectorAll("tr[data-row]")].flatMap((row, place) => [...row.querySelectorAll("td[data-typed]")].map((cell) => `${subform.dataset.rows}[${place}].${cell.dataset.column}`)));
}

/** Ask the server how the form stands; `data` is what to ask about, the form itself by default. */
export async function refresh(form, data = new FormData(form), follow = true) {
  stop(form);
  if (!navigator.onLine) return;
  const control = new AbortController();
  waiting.set(form, { control });
  const asked = [...justIn(form)];
  data.set("_touched", JSON.stringify([...namesOf(form)]));
  data.set("_changed", JSON.stringify(asked));
  if (follow) data.set("_typed", JSON.stringify(typedIn(form)));
  const text = await fragment(form.dataset.live, `form#${form.id}`, { method: "POST", body: data, signal: control.signal, headers: { "X-CSRF-Token": data.get("csrf_token") ?? "" } });
  if (text === null || control.signal.aborted || !form.isConnected) return;
  for (const name of asked) justIn(form).delete(name);
  await place(text, form, "outerMorph");
  if (data.has("_event") || data.has("_quick")) for (const name of (form.dataset.touched ?? "").split(",")) if (name) namesOf(form).add(name);
  form.dispatchEvent(new CustomEvent("live", { bubbles: true }));
  if (!data.has("_event")) await ask(form);
}

/** Ask the server to fill the form from a text and a picture; rows that come with it count as typed. */
export async function fillFrom(form, { text, picture }) {
  const data = new FormData(form);
  data.set("_quick", text);
  if (picture) data.set("_picture", picture, picture.name);
  await refresh(form, data);
  for (const cell of form.querySelectorAll("[data-rows] td[data-column]")) cell.dataset.typed = "";
  form.dispatchEvent(new CustomEvent("filled", { bubbles: true }));
}

/* Ask other programs what is still to be asked. What is typed meanwhile takes the answer back, and it is asked again. */
async function ask(form) {
  const events = [...pendingIn(form)];
  if (!events.length || !form.isConnected) return;
  const data = new FormData(form);
  data.set("_event", JSON.stringify(events));
  const stopped = () => waiting.get(form)?.control?.signal.aborted;
  for (const button of form.querySelectorAll("button[data-event]")) button.setAttribute("aria-busy", "true");
  await refresh(form, data);
  for (const button of form.querySelectorAll("button[data-event]")) button.removeAttribute("aria-busy");
  if (!stopped()) for (const event of events) pendingIn(form).delete(event);
}

/* The events that editing this input sets off: those of its field, or of its subform's column for the row it stands in. */
function setOff(form, input, name) {
  const events = JSON.parse(form.dataset.events ?? "{}");
  const [, rows, column] = /^(\w+)\[\w+\]\.(\w+)$/.exec(name) ?? [];
  const lines = rows ? [...input.closest("[data-rows]").querySelectorAll("tr[data-row]")] : [];
  for (const id of events[rows ? `${rows}.${column}` : name.replace(/\.$/, "")] ?? []) pendingIn(form).add(rows ? `${id}@${lines.indexOf(input.closest("tr[data-row]"))}` : id);
}

function stop(form) {
  const before = waiting.get(form);
  clearTimeout(before?.timer);
  before?.control?.abort();
}

/* An answer that is on its way is out of date the moment something else is typed. */
function changed(event) {
  const form = event.target.closest?.("form[data-live]");
  if (!form || event.target.dataset?.taken !== undefined || event.target.closest("[data-quick]")) return;
  const name = event.target.name || event.target.dataset?.rows;
  const cell = event.target.closest("[data-rows] td[data-column]");
  if (cell) cell.dataset.typed = "";
  if (name) for (const names of [namesOf(form), justIn(form)]) names.add(name);
  if (name && event.type === "change") setOff(form, event.target, name);
  stop(form);
  waiting.set(form, { timer: setTimeout(() => refresh(form), event.type === "change" ? 60 : DELAY) });
}

/* Rows chosen in a query go into the form: the server puts them there. */
async function take(button) {
  const form = button.form;
  const data = new FormData(form);
  data.set("_take", button.dataset.take);
  namesOf(form).add(button.dataset.take);
  for (const box of form.querySelectorAll("input[data-taken]:checked")) box.checked = false;
  await refresh(form, data);
  form.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-take], button[data-event]");
  if (button?.dataset.take) take(button);
  if (button?.dataset.event && button.form) {
    pendingIn(button.form).add(button.dataset.event);
    refresh(button.form);
  }
});
document.addEventListener("input", changed);
document.addEventListener("change", changed);
document.addEventListener("submit", (event) => stop(event.target), true);
addEventListener("online", () => document.querySelectorAll("form[data-live]").forEach((form) => namesOf(form).size && refresh(form)));
