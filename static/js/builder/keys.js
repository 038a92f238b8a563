/* The designer by keyboard: Alt + arrows move what has the focus, Delete takes it away, Ctrl+D copies, Ctrl+Z and Ctrl+Y. */

import { on } from "../dom.js";
import { edit, studio } from "./studio.js";

const MOVES = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };
let wanted = "";

on("keydown", "[data-canvas] .choose", (link, event) => {
  const what = link.closest("[data-drag]").dataset.drag;
  const [kind, name] = what.split(":");
  if (event.altKey && MOVES[event.key]) {
    event.preventDefault();
    again(link);
    edit("move", { what, by: MOVES[event.key] });
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    edit("delete", { id: kind === "field" ? name : what });
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d" && kind === "field") {
    event.preventDefault();
    edit("copy", { id: name });
  } else if (!event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    const links = [...document.querySelectorAll("[data-canvas] .choose")];
    const next = links[links.indexOf(link) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) event.preventDefault();
    next?.focus();
  }
});

/* What was moved keeps the focus, wherever the answer draws it. */
function again(link) {
  wanted = link.id;
}
let shown = studio()?.dataset.chosen;
document.addEventListener("htmx:after:settle", () => {
  const chosen = studio()?.dataset.chosen;
  if (chosen !== shown) document.querySelector("[data-canvas] [aria-current]")?.closest("[data-drag]").scrollIntoView({ block: "nearest" });
  shown = chosen;
  const link = document.getElementById(wanted);
  wanted = "";
  link?.focus({ preventScroll: true });
  link?.scrollIntoView({ block: "nearest" });
});

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || !studio()) return;
  if (event.target.matches("input:not([type=checkbox], [type=radio]), textarea, [contenteditable]")) return;
  const key = event.key.toLowerCase();
  const act = key === "z" && !event.shiftKey ? "undo" : key === "y" || (key === "z" && event.shiftKey) ? "redo" : "";
  if (!act) return;
  event.preventDefault();
  edit(act, { chosen: studio().dataset.chosen });
});
