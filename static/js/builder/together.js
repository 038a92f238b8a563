/* Several fields at once: Ctrl or Cmd and a click adds one, Shift and a click all up to it; then one edit changes them. */

import { on } from "../dom.js";
import { edit, studio } from "./studio.js";

const chosen = new Set();
let from = "";

const links = () => [...document.querySelectorAll("[data-canvas] .canvas-field[data-drag^='field:'] > .choose")];
const idOf = (link) => link.closest("[data-drag]").dataset.drag.slice("field:".length);

function show() {
  const bar = document.querySelector("[data-together]");
  if (!bar) return chosen.clear();
  const there = new Set(links().map(idOf));
  for (const id of chosen) if (!there.has(id)) chosen.delete(id);
  for (const link of links()) link.closest(".canvas-field").classList.toggle("picked", chosen.has(idOf(link)));
  bar.hidden = chosen.size === 0;
  const count = bar.querySelector("[data-together-count]");
  count.textContent = count.dataset.words.replace("{n}", chosen.size);
}

function upTo(link) {
  const all = links();
  const ends = [all.findIndex((one) => idOf(one) === from), all.indexOf(link)].sort((a, b) => a - b);
  if (ends[0] < 0) return chosen.add(idOf(link));
  for (const one of all.slice(ends[0], ends[1] + 1)) chosen.add(idOf(one));
}

function pick(link, event) {
  const id = idOf(link);
  from ||= studio()?.dataset.chosen ?? "";
  if (chosen.size === 0 && from && links().some((one) => idOf(one) === from)) chosen.add(from);
  if (event.shiftKey) upTo(link);
  else chosen.has(id) ? chosen.delete(id) : chosen.add(id);
  from = id;
  show();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-canvas] .canvas-field[data-drag^='field:'] > .choose");
  if (!link) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) {
    event.preventDefault();
    event.stopImmediatePropagation();
    pick(link, event);
  } else {
    chosen.clear();
    from = idOf(link);
    show();
  }
}, true);

on("click", "[data-together] button[data-act]", (button) => {
  const { act } = button.dataset;
  if (act) edit("together", { act, ids: [...chosen].join(","), chosen: studio().dataset.chosen });
  else chosen.clear();
  show();
});
on("change", "[data-together] select[data-act]", (select) => edit("together", { act: "width", value: select.value, ids: [...chosen].join(","), chosen: studio().dataset.chosen }));
on("keydown", "[data-canvas] .choose", (link, event) => {
  if (event.key === " " && (event.ctrlKey || event.shiftKey) && link.closest("[data-drag^='field:']")) {
    event.preventDefault();
    pick(link, event);
  } else if (event.key === "Escape" && chosen.size) {
    chosen.clear();
    show();
  }
});
document.addEventListener("htmx:after:settle", show);
