/* The grid of a dashboard: a widget is dragged to its place, stretched by its corner, or moved by Alt + arrows (with Shift: its size). */

import { on } from "../dom.js";

const grid = () => document.querySelector("[data-grid]");
const at = (slot) => slot.dataset.at.split(",").map(Number);
let held = null;
let wanted = "";

function put(slot, place) {
  const frame = slot.closest("[data-board]");
  wanted = slot.querySelector(".choose").id;
  window.htmx.ajax("POST", `${frame.dataset.board}place`, { target: "#studio", swap: "outerMorph", values: { id: slot.dataset.widget, at: place.join(","), counter: frame.dataset.counter } });
}

function cells() {
  const style = getComputedStyle(grid());
  const gap = parseFloat(style.columnGap) || 0;
  return { width: (grid().clientWidth + gap) / 12, height: parseFloat(style.gridAutoRows) + gap };
}

on("pointerdown", "[data-grid] .choose, [data-grid] .stretch", (part, event) => {
  if (event.button || getComputedStyle(grid()).display !== "grid") return;
  const slot = part.closest("[data-widget]");
  held = { slot, part, stretch: part.matches(".stretch"), x: event.clientX, y: event.clientY, from: at(slot), to: at(slot), size: cells() };
});

document.addEventListener("pointermove", (event) => {
  if (!held) return;
  const [right, down] = [Math.round((event.clientX - held.x) / held.size.width), Math.round((event.clientY - held.y) / held.size.height)];
  if (!held.moved && Math.hypot(event.clientX - held.x, event.clientY - held.y) < 6) return;
  held.moved = true;
  held.slot.classList.add("held");
  const [x, y, w, h] = held.from;
  held.to = held.stretch ? [x, y, Math.max(1, Math.min(12 - x, w + right)), Math.max(1, h + down)] : [Math.max(0, Math.min(12 - w, x + right)), Math.max(0, y + down), w, h];
  const [left, top, width, height] = held.to;
  held.slot.style.gridColumn = `${left + 1} / span ${width}`;
  held.slot.style.gridRow = `${top + 1} / span ${height}`;
});

document.addEventListener("pointerup", () => {
  if (!held) return;
  const { slot, moved, to } = held;
  held = null;
  slot.classList.remove("held");
  if (!moved) return;
  document.addEventListener("click", (event) => event.target.closest("[data-grid]") && (event.preventDefault(), event.stopPropagation()), { capture: true, once: true });
  put(slot, to);
});

on("keydown", "[data-grid] .choose", (link, event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!event.altKey || !step) return;
  event.preventDefault();
  const slot = link.closest("[data-widget]");
  const [x, y, w, h] = at(slot);
  put(slot, event.shiftKey ? [x, y, w + step[0], h + step[1]] : [x + step[0], y + step[1], w, h]);
});

document.addEventListener("htmx:after:settle", () => {
  document.getElementById(wanted)?.focus({ preventScroll: true });
  wanted = "";
});
