/* Ctrl/⌘ K: go anywhere by name. Offers what the page links to, and what `data-palette-source` finds. */

import { icon, later, make, say } from "./dom.js";

let chosen = 0;
let shown = [];

function known() {
  const links = [...document.querySelectorAll("a[data-nav], a[data-palette]")];
  return links.map((link) => ({ text: link.querySelector(".ellipsis")?.textContent.trim() || link.textContent.trim(), url: link.href, icon: link.querySelector("use")?.getAttribute("href").split("#").at(-1), note: link.dataset.note ?? link.closest(".nav-group")?.querySelector("summary").textContent.trim() ?? "" }));
}

function build() {
  const input = make("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-results", "aria-autocomplete": "list", "aria-label": say("palette_title"), placeholder: say("palette_title"), autocomplete: "off", spellcheck: "false" });
  const list = make("div", { class: "palette-results", id: "palette-results", role: "listbox", "aria-label": say("palette_title") });
  const box = make("dialog", { class: "palette-dialog", id: "palette", "aria-label": say("palette_title") }, make("div", { class: "palette-search" }, icon("search"), input, make("kbd", {}, "Esc")), list);
  box.addEventListener("close", () => box.remove());
  box.addEventListener("mousedown", (event) => event.target === box && box.close());
  input.addEventListener("input", () => search(box, input.value));
  input.addEventListener("keydown", (event) => key(box, event));
  document.body.append(box);
  return box;
}

export function open() {
  if (document.getElementById("palette")) return;
  const box = build();
  box.showModal();
  search(box, "");
}

function search(box, text) {
  const asked = text.trim().toLowerCase();
  const local = known().filter((one) => `${one.text} ${one.note}`.toLowerCase().includes(asked));
  show(box, local.slice(0, 30));
  const source = document.querySelector("[data-palette-source]")?.dataset.paletteSource;
  if (source && asked) remote(box, source, asked, local);
}

const remote = later(async (box, source, asked, local) => {
  const answer = await fetch(`${source}${source.includes("?") ? "&" : "?"}q=${encodeURIComponent(asked)}`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok || !box.isConnected) return;
  const urls = new Set(local.map((one) => new URL(one.url, location.href).pathname));
  show(box, [...local, ...(await answer.json()).filter((one) => !urls.has(one.url))].slice(0, 40));
}, 180);

function show(box, results) {
  shown = results;
  chosen = 0;
  const list = box.querySelector(".palette-results");
  list.replaceChildren(...results.map((one, place) => {
    const line = make("div", { role: "option", id: `palette-${place}`, "data-place": place }, icon(one.icon || "forward"), make("span", {}, one.text), one.note ? make("span", { class: "note-text" }, one.note) : null);
    line.addEventListener("click", () => (location.href = one.url));
    line.addEventListener("pointermove", () => choose(box, place));
    return line;
  }));
  if (!results.length) list.append(make("p", { class: "nav-none" }, say("palette_none")));
  choose(box, 0);
}

function choose(box, place) {
  chosen = place;
  const lines = [...box.querySelectorAll('[role="option"]')];
  lines.forEach((line, n) => line.setAttribute("aria-selected", String(n === place)));
  lines[place]?.scrollIntoView({ block: "nearest" });
  const input = box.querySelector("input");
  lines[place] ? input.setAttribute("aria-activedescendant", lines[place].id) : input.removeAttribute("aria-activedescendant");
}

function key(box, event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by && shown.length) {
    event.preventDefault();
    choose(box, (chosen + by + shown.length) % shown.length);
  }
  if (event.key === "Enter" && shown[chosen] && !event.isComposing) location.href = shown[chosen].url;
}
