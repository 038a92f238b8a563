/* What is typed is kept until it has been sent: in this browser at once, on the server when the person asks or pauses.

   A form that could not be sent for want of a connection waits, and is sent again with the same key, so that it
   counts once even if the first attempt did arrive. */

import { later, make, say, store, token, whenever } from "./dom.js";
import { restore as ask } from "./live.js";
import { keyOf, useKey } from "./submit-once.js";
import { toast } from "./toast.js";

const NOT_KEPT = new Set(["csrf_token", "_once", "_touched", "_changed", "_version", "_with", "_back"]);
const DAYS = 30;
const PAUSE = 4000;
const nameOf = (form) => `draft:${form.dataset.draft}`;
const begun = new WeakMap();
const saved = new WeakMap();

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
  if (JSON.stringify(now) !== begun.get(form)) write(form, now);
}, 500);

const write = (form, now, more = {}) => store.set(nameOf(form), JSON.stringify({ at: Date.now(), answers: now, once: keyOf(form), ...more }));

/* ---------- on the server ---------- */

async function put(form) {
  const body = JSON.stringify(answers(form));
  if (body === saved.get(form)) return true;
  const answer = await fetch(form.dataset.draftUrl, { method: "PUT", body, credentials: "same-origin", headers: { "X-CSRF-Token": token(), "Content-Type": "application/json" } }).catch(() => null);
  if (answer?.ok) saved.set(form, body);
  return Boolean(answer?.ok);
}

const pause = later((form) => {
  if (form.isConnected && form.dataset.draftUrl && navigator.onLine && JSON.stringify(answers(form)) !== begun.get(form)) put(form);
}, PAUSE);

async function save(form) {
  write(form, answers(form));
  (await put(form)) ? toast(say("draft_saved"), { kind: "good" }) : toast(say("draft_saved_here"), { kind: "warn" });
}

async function remote(form) {
  const answer = await fetch(form.dataset.draftUrl, { credentials: "same-origin", headers: { Accept: "application/json" } }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

function forget(form) {
  store.remove(nameOf(form));
  if (form.dataset.draftSaved) fetch(form.dataset.draftUrl, { method: "DELETE", credentials: "same-origin", headers: { "X-CSRF-Token": token() } }).catch(() => null);
  delete form.dataset.draftSaved;
}

/* ---------- offered again ---------- */

async function restore(form, draft) {
  const given = draft.answers ? draft : await remote(form);
  if (!given) return toast(say("not_found"), { kind: "warn" });
  const data = new FormData(form);
  for (const [name] of given.answers) data.delete(name);
  for (const [name, value] of given.answers) data.append(name, value);
  if (given.once) useKey(form, given.once);
  form.dataset.live ? await ask(form, data) : fill(form, given.answers);
  toast(say("draft_restored"));
}

/* Without live values only plain inputs can be filled again. */
function fill(form, kept) {
  for (const input of form.querySelectorAll("input[name], select[name], textarea[name]")) {
    const given = kept.filter(([name]) => name === input.name).map(([, value]) => value);
    if (input.matches("[type=checkbox], [type=radio]")) input.checked = given.includes(input.value);
    else if (given.length && !input.matches("[type=hidden], [type=file]")) input.value = given[0];
  }
}

function note(form, text, buttons) {
  form.parentElement.querySelector(".draft-note")?.remove();
  const box = make("div", { class: "draft-note", role: "status" }, make("span", { class: "grow" }, text));
  for (const [words, kind, act] of buttons) {
    const button = make("button", { type: "button", class: `button small ${kind}` }, words);
    button.addEventListener("click", () => (box.remove(), act()));
    box.append(button);
  }
  form.before(box);
}

function offer(form, draft) {
  const when = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  note(form, say(draft.waiting ? "draft_unsent" : "draft_found", { when }), [
    [say("draft_restore"), "primary", () => restore(form, draft)],
    [say("draft_discard"), "", () => forget(form)],
  ]);
}

whenever("form[data-draft]", (form) => {
  begun.set(form, JSON.stringify(answers(form)));
  const draft = read(nameOf(form));
  if (!draft) store.remove(nameOf(form));
  const refused = form.querySelector(".error-summary");
  const there = { at: Number(form.dataset.draftSaved ?? 0) };
  if (draft?.sent && !refused) store.remove(nameOf(form));
  else if (!refused && draft && draft.at >= there.at && JSON.stringify(draft.answers) !== begun.get(form)) return offer(form, draft);
  if (!refused && there.at) offer(form, there);
});

for (const kind of ["input", "change", "filled"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest?.("form[data-draft]");
    if (!form) return;
    keep(form);
    if (form.dataset.draftUrl) pause(form);
  });
}
document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[data-draft-save]");
  if (button) save(button.form);
});

/* ---------- sent, or not ---------- */

/* Sent by htmx: the answer says whether it was accepted. Sent by the browser: the next page will show. */
document.addEventListener("htmx:after:request", ({ detail }) => {
  const form = detail.ctx.sourceElement;
  if (form.matches?.("form[data-draft]") && detail.ctx.response.status < 400) {
    store.remove(nameOf(form));
    begun.set(form, JSON.stringify(answers(form)));
  }
});
document.addEventListener("submit", ({ target }) => {
  if (!target.matches("form[data-draft]:not([hx-post])")) return;
  write(target, answers(target), { sent: true });
});
document.addEventListener("htmx:error", ({ detail }) => {
  const form = detail.ctx?.sourceElement;
  if (!form?.matches?.("form[data-draft]") || detail.ctx.response) return;
  write(form, answers(form), { waiting: true });
  form.dataset.waiting = "";
  note(form, say("waiting_for_connection"), [[say("send_now"), "primary", () => form.requestSubmit()]]);
});
addEventListener("online", () => {
  for (const form of document.querySelectorAll("form[data-waiting]")) {
    delete form.dataset.waiting;
    form.parentElement.querySelector(".draft-note")?.remove();
    form.requestSubmit();
  }
});
