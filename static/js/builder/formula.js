/* The formula editor: a text area with coloured words behind it, suggestions as one types, and the server's word on
   how the formula fares. `data-place` says where it stands, so which fields it may use. */

import { fragment } from "../requests.js";
import { icon, later, make, on, say, token, whenever } from "../dom.js";
import { openDialog, closeDialog } from "../dialog.js";

const WORD = /"(?:[^"]|"")*"?|\[[^\][\n]*\]?|[\p{L}_][\p{L}\p{N}_]*|\d+(?:\.\d+)?|[^]/gu;
const BEFORE = /((?:(?:\[[^\][\n]*\]|[\p{L}_][\p{L}\p{N}_]*)\s*\.\s*)*)(\[[^\][\n]*|[\p{L}_][\p{L}\p{N}_]*)?$/u;
const kept = new Map();
let offered = [];
let chosen = 0;
let list = null;
let owner = null;
let returns = null;

const boxOf = (area) => area.closest(".formula");
const areaOf = (box) => box.querySelector(".formula-text");

/* What the server knows of a place is asked once. */
function ask(url) {
  if (!kept.has(url)) kept.set(url, fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" }).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null));
  return kept.get(url);
}
const namesFor = async (box) => (await ask(`${box.dataset.base}/names?place=${encodeURIComponent(box.dataset.place)}&draft=${document.querySelector("[name=counter]")?.value ?? ""}`)) ?? { first: [], sets: {} };
const functions = async () => (await ask("/build/functions")) ?? [];

/* ---------- colours ---------- */

function paint(box) {
  const area = areaOf(box);
  const back = box.querySelector(".formula-back");
  const fault = box.dataset.fault === undefined ? -1 : Number(box.dataset.fault);
  const pieces = [];
  let at = 0;
  for (const [text] of area.value.matchAll(WORD)) {
    const rest = area.value.slice(at + text.length);
    const kind = text.startsWith('"') ? "text" : text.startsWith("[") ? "name" : /^[\p{L}_]/u.test(text) ? (/^\s*[(（]/.test(rest) ? "function" : "word") : /^\d/.test(text) ? "number" : "";
    const wrong = fault >= at && fault < at + text.length;
    pieces.push(kind || wrong ? make("span", { class: `${kind ? `f-${kind}` : ""}${wrong ? " f-wrong" : ""}`.trim() }, text) : text);
    at += text.length;
  }
  if (fault >= area.value.length && fault >= 0) pieces.push(make("span", { class: "f-wrong" }, " "));
  back.replaceChildren(...pieces, "\n");
  back.scrollTop = area.scrollTop;
}

/* ---------- the server's word ---------- */

async function answer(box) {
  const area = areaOf(box);
  const editor = box.closest("[data-formula-editor]");
  const body = new FormData();
  body.set("formula", area.value);
  body.set("place", box.dataset.place);
  body.set("result", box.dataset.result);
  if (editor) body.set("full", "1");
  body.set("record", editor?.querySelector("[data-formula-record]")?.value ?? "");
  const asked = area.value;
  const text = await fragment(`${box.dataset.base}/formula`, "div.formula-answer", { method: "POST", body, headers: { "X-CSRF-Token": token() } });
  if (text === null || !box.isConnected || area.value !== asked) return;
  const said = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
  box.querySelector(".formula-answer").replaceChildren(said);
  if (said.dataset.at === undefined) delete box.dataset.fault;
  else box.dataset.fault = said.dataset.at;
  paint(box);
}
const soon = later((box) => box.isConnected && answer(box), 350);

function typed(box) {
  delete box.dataset.fault;
  paint(box);
  soon(box);
}

/* ---------- suggestions ---------- */

async function suggest(area, all = false) {
  const box = boxOf(area);
  const before = area.value.slice(0, area.selectionStart);
  if (area.selectionStart !== area.selectionEnd || (before.match(/"/g)?.length ?? 0) % 2) return hide();
  const [, path, word = ""] = before.match(BEFORE);
  if (!all && !path && word === "") return hide();
  const [names, groups] = await Promise.all([namesFor(box), functions()]);
  if (!area.isConnected || area.value.slice(0, area.selectionStart) !== before) return;
  const bracket = word.startsWith("[");
  const asked = word.replace(/^\[/, "").toLowerCase();
  const here = path ? follow(names, path) : names.first;
  const fields = (here ?? []).filter((one) => one.label.toLowerCase().includes(asked) || one.id.toLowerCase().startsWith(asked));
  const known = path || bracket ? [] : groups.flatMap((group) => group.functions).filter((one) => one.name.toLowerCase().startsWith(asked) || (asked.length > 1 && one.text.toLowerCase().includes(asked)));
  fields.sort((a, b) => Number(b.label.toLowerCase().startsWith(asked)) - Number(a.label.toLowerCase().startsWith(asked)));
  known.sort((a, b) => Number(b.name.toLowerCase().startsWith(asked)) - Number(a.name.toLowerCase().startsWith(asked)));
  show(area, word, [...fields.map((one) => ({ field: one })), ...known.map((one) => ({ call: one }))].slice(0, 40));
}

/* The names that may follow a path such as `[Author].[Name].`. */
function follow(names, path) {
  let here = names.first;
  for (const [, label, id] of path.matchAll(/\[([^\][\n]*)\]|([\p{L}_][\p{L}\p{N}_]*)/gu)) {
    const found = here?.find((one) => (label ?? id) === one.label || one.id === (id ?? label));
    here = found ? names.sets[found.of] : null;
  }
  return here;
}

function show(area, word, found) {
  if (!found.length) return hide();
  offered = found.map((one) => ({ ...one, word }));
  chosen = 0;
  owner = area;
  list ??= make("div", { class: "suggestions", id: "formula-suggestions", role: "listbox", popover: "manual", "aria-label": say("suggestions") });
  const top = area.closest("dialog") ?? document.body;
  if (list.parentElement !== top) top.append(list);
  list.replaceChildren(...offered.map((one, n) => option(one, n)));
  area.setAttribute("aria-controls", list.id);
  if (!list.matches(":popover-open")) list.showPopover();
  settle(area);
  mark(0);
}

function option({ field, call }, n) {
  const line = field
    ? make("div", { role: "option", id: `suggestion-${n}` }, icon(field.icon), make("span", { class: "grow ellipsis" }, field.label), make("span", { class: "faint small" }, field.type))
    : make("div", { role: "option", id: `suggestion-${n}` }, icon("function"), make("span", { class: "mono" }, call.name), make("span", { class: "faint small ellipsis grow" }, call.text));
  line.addEventListener("pointerdown", (event) => event.preventDefault());
  line.addEventListener("click", () => take(n));
  return line;
}

function settle(area) {
  const at = caretBox(area);
  const { width, height } = list.getBoundingClientRect();
  list.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  list.style.top = `${at.bottom + height + 8 < innerHeight || at.top < height + 8 ? at.bottom + 4 : at.top - height - 4}px`;
}

/* Where the caret is on the screen: the end of the same text behind the area. */
function caretBox(area) {
  const back = boxOf(area).querySelector(".formula-back");
  let left = area.selectionStart;
  const walker = document.createTreeWalker(back, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (left <= node.length) {
      const range = document.createRange();
      range.setStart(node, left);
      range.collapse(true);
      const box = range.getBoundingClientRect();
      if (box.height) return box;
      break;
    }
    left -= node.length;
  }
  return area.getBoundingClientRect();
}

function mark(n) {
  chosen = n;
  [...list.children].forEach((line, place) => line.setAttribute("aria-selected", String(place === n)));
  list.children[n]?.scrollIntoView({ block: "nearest" });
  owner.setAttribute("aria-activedescendant", `suggestion-${n}`);
  about(owner, offered[n]?.call);
}

function hide() {
  if (list?.matches(":popover-open")) list.hidePopover();
  owner?.removeAttribute("aria-activedescendant");
  offered = [];
}

function take(n) {
  const { field, call, word } = offered[n];
  const area = owner;
  hide();
  put(area, field ? `[${field.label}]` : `${call.name}()`, word.length, call ? 1 : 0);
  if (call) about(area, call);
}

/* Text in place of what was begun; `inside` leaves the caret before the last characters. */
function put(area, text, replaced = 0, inside = 0) {
  area.focus();
  const end = area.selectionEnd;
  const closing = text.startsWith("[") && area.value[end] === "]" ? 1 : 0;
  area.setRangeText(text, area.selectionStart - replaced, end + closing, "end");
  area.selectionStart = area.selectionEnd -= inside;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/* ---------- events ---------- */

on("input", ".formula-text", (area, event) => {
  typed(boxOf(area));
  if (event.isTrusted && !event.isComposing) suggest(area);
});
on("compositionend", ".formula-text", (area) => suggest(area));
on("focusin", ".formula-text", (area) => {
  namesFor(boxOf(area));
  if (!boxOf(area).querySelector(".formula-said")) soon(boxOf(area));
});
on("focusout", ".formula-text", hide);
on("click", ".formula-text", hide);
document.addEventListener("scroll", ({ target }) => {
  if (target instanceof Element && target.matches(".formula-text")) target.previousElementSibling.scrollTop = target.scrollTop;
  else if (list && target !== list) hide();
}, true);
document.addEventListener("keydown", (event) => {
  const area = event.target;
  if (!area.matches?.(".formula-text") || event.isComposing) return;
  if (event.key === " " && event.ctrlKey) {
    event.preventDefault();
    return suggest(area, true);
  }
  if (!offered.length || owner !== area) return;
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) mark((chosen + by + offered.length) % offered.length);
  else if (event.key === "Enter" || event.key === "Tab") take(chosen);
  else if (event.key === "Escape") hide();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
on("click", "[data-formula-error]", (button) => {
  const box = button.closest(".formula");
  const area = areaOf(box);
  area.focus();
  const at = Number(box.dataset.fault ?? 0);
  area.setSelectionRange(at, Math.min(at + 1, area.value.length));
});

whenever(".formula[data-formula]", (box) => {
  paint(box);
  if (areaOf(box).value) answer(box);
});
document.addEventListener("htmx:after:settle", () => {
  for (const box of document.querySelectorAll(".formula[data-formula]")) {
    paint(box);
    if (areaOf(box).value && !box.querySelector(".formula-said")) answer(box);
  }
});

/* ---------- the large editor ---------- */

on("click", "[data-formula-open]", async (button) => {
  const box = button.closest(".formula");
  if (box.closest("[data-formula-editor]")) return;
  returns = areaOf(box).id;
  const asked = new URLSearchParams({ place: box.dataset.place, result: box.dataset.result, label: box.dataset.label });
  const text = areaOf(box).value;
  await openDialog(`${box.dataset.base}/formula?${asked}`);
  const area = document.querySelector("[data-formula-editor] .formula-text");
  if (!area) return;
  document.getElementById("dialog").classList.add("wide-dialog");
  area.value = text;
  area.focus();
  paint(boxOf(area));
  answer(boxOf(area));
});

whenever("[data-formula-editor]", async (editor) => {
  const box = editor.querySelector("[data-formula]");
  const [names, groups] = await Promise.all([namesFor(box), functions()]);
  editor.querySelector("[data-formula-fields]").replaceChildren(tree(names, names.first, "", 0));
  editor.querySelector("[data-formula-functions]").replaceChildren(...groups.map((group) => make("details", { open: true }, make("summary", {}, group.group), make("div", { class: "formula-entries" }, ...group.functions.map(callEntry)))));
});

/* The fields, each with what may follow it: members of links and people, columns of subforms. */
function tree(names, words, path, depth) {
  return make("div", { class: "formula-entries" }, ...words.map((word) => {
    const text = `${path}[${word.label}]`;
    const button = make("button", { type: "button", class: "formula-entry", "data-insert": text, "data-search": `${word.label} ${word.id}`.toLowerCase() }, icon(word.icon), make("span", { class: "grow ellipsis" }, word.label), make("span", { class: "faint small" }, word.type));
    const more = depth < 2 && word.of ? names.sets[word.of] : null;
    if (!more?.length) return button;
    const rest = make("details", { class: "formula-more" }, make("summary", { "aria-label": word.label }, icon("chevron-right")));
    rest.addEventListener("toggle", () => rest.children.length < 2 && rest.append(tree(names, more, `${text}.`, depth + 1)), { once: true });
    return make("div", { class: "formula-branch" }, button, rest);
  }));
}

function callEntry(one) {
  const entry = make("button", { type: "button", class: "formula-entry", "data-call": one.name, "data-search": `${one.name} ${one.text}`.toLowerCase() }, make("span", { class: "mono" }, one.name), make("span", { class: "faint small ellipsis grow" }, one.text));
  entry.addEventListener("pointerenter", () => about(entry, one));
  entry.addEventListener("focus", () => about(entry, one));
  return entry;
}

/* What a function does, below the lists. */
function about(element, one) {
  const place = element.closest("[data-formula-editor]")?.querySelector("[data-formula-about]");
  if (!place || !one) return;
  place.replaceChildren(make("p", {}, make("code", { class: "strong" }, one.usage)), make("p", {}, one.text), make("p", { class: "small" }, make("span", { class: "muted" }, `${say("example")} `), make("code", {}, one.example)));
}

on("click", "[data-formula-editor] [data-insert]", (button) => put(button.closest("[data-formula-editor]").querySelector(".formula-text"), button.dataset.insert));
on("click", "[data-formula-editor] [data-call]", (button) => put(button.closest("[data-formula-editor]").querySelector(".formula-text"), `${button.dataset.call}()`, 0, 1));
on("input", "[data-formula-search]", (input) => {
  const asked = input.value.trim().toLowerCase();
  const place = input.nextElementSibling;
  for (const entry of place.querySelectorAll("[data-search]")) entry.hidden = !entry.dataset.search.includes(asked);
  for (const group of place.querySelectorAll(":scope > details")) group.hidden = !group.querySelector("[data-search]:not([hidden])");
});
on("change", "[data-formula-record]", (select) => answer(select.closest("[data-formula-editor]").querySelector("[data-formula]")));
on("click", "[data-formula-use]", () => {
  const text = document.querySelector("[data-formula-editor] .formula-text").value;
  const area = document.getElementById(returns);
  closeDialog();
  if (!area) return;
  area.value = text;
  area.focus();
  typed(boxOf(area));
  area.dispatchEvent(new Event("change", { bubbles: true }));
});
document.addEventListener("close", ({ target }) => target.id === "dialog" && target.classList.remove("wide-dialog"), true);
