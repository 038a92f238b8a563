/* What is typed is kept in this browser until it has been sent, and offered again. */

import { later, make, say, store, whenever } from "./dom.js";
import { restore as ask } from "./live.js";
import { toast } from "./toast.js";

const NOT_KEPT = new Set(["csrf_token", "_once", "_touched", "version"]);
const DAYS = 30;
const keyOf = (form) => `draft:${form.dataset.draft}`;
const begun = new WeakMap();

function answers(form) {
  return [...new FormData(form)].filter(([name, value]) => !NOT_KEPT.has(name) && typeof value === "string");
}

function read(key) {
  try {
    const draft = JSON.parse(store.get(key));
    return draft && Date.now() - draft.at < DAYS * 86400000 ? draft : null;
  } catch {
    return null;
  }
}

const keep = later((form) => {
  if (!form.isConnected) return;
  const now = answers(form);
  if (JSON.stringify(now) !== begun.get(form)) store.set(keyOf(form), JSON.stringify({ at: Date.now(), answers: now }));
}, 500);

function restore(form, draft) {
  const data = new FormData(form);
  for (const [name] of draft.answers) data.delete(name);
  for (const [name, value] of draft.answers) data.append(name, value);
  form.dataset.live ? ask(form, data) : write(form, draft.answers);
  toast(say("draft_restored"));
}

/* Without live values only plain inputs can be filled again. */
function write(form, kept) {
  for (const input of form.querySelectorAll("input[name], select[name], textarea[name]")) {
    const given = kept.filter(([name]) => name === input.name).map(([, value]) => value);
    if (input.matches("[type=checkbox], [type=radio]")) input.checked = given.includes(input.value);
    else if (given.length && !input.matches("[type=hidden], [type=file]")) input.value = given[0];
  }
}

function offer(form, draft) {
  const when = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const yes = make("button", { type: "button", class: "button small primary" }, say("draft_restore"));
  const no = make("button", { type: "button", class: "button small" }, say("draft_discard"));
  const box = make("div", { class: "draft-note", role: "status" }, make("span", { class: "grow" }, say("draft_found", { when })), yes, no);
  yes.addEventListener("click", () => (box.remove(), restore(form, draft)));
  no.addEventListener("click", () => (box.remove(), store.remove(keyOf(form))));
  form.before(box);
}

whenever("form[data-draft]", (form) => {
  begun.set(form, JSON.stringify(answers(form)));
  const draft = read(keyOf(form));
  if (!draft) return store.remove(keyOf(form));
  const refused = form.querySelector(".error-summary");
  if (draft.sent && !refused) store.remove(keyOf(form));
  else if (!refused && JSON.stringify(draft.answers) !== begun.get(form)) offer(form, draft);
});

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest?.("form[data-draft]");
    if (form) keep(form);
  });
}

/* Sent by htmx: the answer says whether it was accepted. Sent by the browser: the next page will show. */
document.addEventListener("htmx:after:request", ({ detail }) => {
  const form = detail.ctx.sourceElement;
  if (form.matches?.("form[data-draft]") && detail.ctx.response.status < 400) store.remove(keyOf(form));
});
document.addEventListener("submit", ({ target }) => {
  if (!target.matches("form[data-draft]:not([hx-post])")) return;
  store.set(keyOf(target), JSON.stringify({ at: Date.now(), sent: true, answers: answers(target) }));
});
