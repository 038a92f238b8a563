/* Searchable selects: links, members, departments and long lists of options. */

import { make, say, token, whenever } from "./dom.js";
import { readRow } from "./sending.js";

let fetched;
const ready = () => (fetched ??= import("../vendor/tom-select.min.js").catch(() => null));
const selectOf = (picker) => picker.querySelector("select");

/** What a source offers for these words, beside what stands in the form; `more` are further parameters. */
export async function find(source, asked, picker, more = {}) {
  const url = new URL(source, location.href);
  url.searchParams.set("q", asked);
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  const form = picker.closest("form");
  const known = picker.dataset.with?.split(",") ?? [];
  const row = picker.closest("tr[data-row]");
  const beside = row && known.some((name) => name.startsWith(".")) ? readRow(row) : {};
  for (const name of known) url.searchParams.set(`with.${name}`, name.startsWith(".") ? (beside[name.slice(1)] ?? "") : ((form?.elements[name] ?? form?.elements[`${name}.`])?.value ?? ""));
  const answer = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw answer;
  const said = await answer.json();
  return Array.isArray(said) ? said : (said.items ?? []);
}

function drawOption(item, escape) {
  return `<div class="option-line">${item.tone ? `<span class="chip tone-${escape(item.tone)}"><span>${escape(item.text)}</span></span>` : escape(item.text)}${item.note ? `<small>${escape(item.note)}</small>` : ""}</div>`;
}

function drawItem(item, escape) {
  return `<div${item.tone ? ` class="tone-${escape(item.tone)}"` : ""}>${escape(item.text)}</div>`;
}

async function create(picker, text, done) {
  if (!picker.dataset.source) return done({ id: text.trim(), text: text.trim() });
  const url = new URL(picker.dataset.source, location.href);
  const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": token() }, body: JSON.stringify({ text }) });
  done(answer.ok ? await answer.json() : false);
}

function options(picker, select) {
  const several = select.multiple;
  const remote = picker.dataset.source;
  return {
    plugins: several ? { remove_button: { title: say("remove"), label: "×" } } : {},
    valueField: "id", labelField: "text", searchField: ["text", "note"], sortField: [{ field: "$order" }],
    maxItems: several ? null : 1, maxOptions: 200, hideSelected: several, closeAfterSelect: !several,
    placeholder: select.dataset.placeholder || "", hidePlaceholder: true, allowEmptyOption: false, openOnFocus: true, selectOnTab: true, refreshThrottle: 150, loadThrottle: 220,
    ...(remote ? { preload: "focus", shouldLoad: () => true, score: () => () => 1, load(asked, show) { find(remote, asked, picker).then((found) => (forget(this), show(found)), () => show()); } } : {}),
    ...("create" in picker.dataset ? { create: (text, done) => create(picker, text, done), createFilter: (text) => text.trim().length > 0 } : { create: false }),
    render: {
      option: drawOption, item: drawItem,
      no_results: () => `<div class="no-results">${say("none_found")}</div>`,
      loading: () => '<div class="spinner"></div>',
      option_create: (data, escape) => `<div class="create">${say("create", { text: escape(data.input) })}</div>`,
    },
    onType() {
      this.loadedSearches = {};
    },
  };
}

/* What was found for other words is not offered for these; what is chosen stays. */
function forget(box) {
  for (const id of Object.keys(box.options)) if (!box.items.includes(id)) delete box.options[id];
}

document.addEventListener("picker:same", (event) => {
  sameChoice(event.target, event.detail);
});

whenever(".picker", async (picker) => {
  const select = selectOf(picker);
  await ready();
  if (!window.TomSelect || !select?.isConnected || select.tomselect) return;
  const items = [...select.options].filter((option) => option.value).map((option) => ({ id: option.value, text: option.textContent, note: option.dataset.note ?? "", tone: option.dataset.tone ?? "" }));
  const box = new window.TomSelect(select, { ...options(picker, select), options: items, items: [...select.selectedOptions].map((option) => option.value).filter(Boolean) });
  box.control_input.setAttribute("aria-label", select.dataset.label ?? "");
  for (const name of ["aria-describedby", "aria-invalid", "aria-required"]) if (select.hasAttribute(name)) box.control_input.setAttribute(name, select.getAttribute(name));
  select.ariaHidden = "true";
  box.control.append(clearer(box));
  if (select.disabled) box.disable();
});

/* Backspace does the same for those without a mouse. */
function clearer(box) {
  const button = make("button", { type: "button", class: "clear-button", tabindex: "-1", "aria-hidden": "true", title: say("clear") }, "×");
  button.addEventListener("mousedown", (event) => event.stopPropagation());
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    box.clear();
    box.focus();
  });
  return button;
}

/** Choose these `{id, text, note}` and nothing else; `quiet` tells nobody. */
export function pick(picker, chosen, quiet = false) {
  const select = selectOf(picker);
  const box = select.tomselect;
  if (!box) {
    select.replaceChildren(...(select.multiple ? [] : [new Option("", "")]), ...chosen.map(({ id, text }) => new Option(text, id, true, true)));
    return;
  }
  for (const one of chosen) {
    box.addOption(one);
    box.updateOption(one.id, one);
  }
  box.setValue(select.multiple ? chosen.map((one) => one.id) : (chosen[0]?.id ?? ""), quiet);
}

/** Choose by what is written: looked up among the options, or asked of the source. */
export async function pickText(picker, text) {
  const select = selectOf(picker);
  const wanted = (select.multiple ? text.split(/[,，、;；]/) : [text]).map((part) => part.trim()).filter(Boolean);
  const found = await Promise.all(wanted.map((one) => look(picker, select, one)));
  await ready();
  if (picker.isConnected) pick(picker, found.filter(Boolean));
}

async function look(picker, select, text) {
  const same = (item) => item.id === text || item.text?.trim().toLowerCase() === text.toLowerCase();
  if (!picker.dataset.source) return [...select.options].map((option) => ({ id: option.value, text: option.textContent, tone: option.dataset.tone })).find(same);
  const found = await find(picker.dataset.source, text, picker).catch(() => []);
  return found.find(same);
}

/* Its name, which numbers its place in a list, and what it offers by itself. */
function follow(select, next, offers) {
  select.name = next.name;
  if (!offers || !select.tomselect) return;
  for (const option of next.options) if (option.value) select.tomselect.addOption({ id: option.value, text: option.textContent });
}

/** Whether a drawn picker already shows what the server now says; if not, it is made to. Always keeps the drawn one. */
function sameChoice(picker, next) {
  const select = selectOf(picker);
  const wanted = [...next.querySelectorAll("option[selected]")].filter((option) => option.value);
  const ids = wanted.map((option) => option.value).join();
  const here = [...select.selectedOptions].map((option) => option.value).filter(Boolean).join();
  if (ids !== here && !picker.contains(document.activeElement)) {
    pick(picker, wanted.map((option) => ({ id: option.value, text: option.textContent, note: option.dataset.note ?? "", tone: option.dataset.tone ?? "" })), true);
  }
  follow(select, next.querySelector("select"), !next.hasAttribute("data-source"));
  for (const name of ["data-source", "data-with"]) if (next.hasAttribute(name)) picker.setAttribute(name, next.getAttribute(name));
  return true;
}
