/* Choosing rows of a grid: boxes, all at once, a stretch with shift; what can be done with them. */

import { on, say } from "./dom.js";

let last = null;
const boxes = (grid) => [...grid.querySelectorAll('tbody input[name="ids"]')];

function refresh(grid) {
  const all = boxes(grid);
  const chosen = all.filter((box) => box.checked);
  for (const box of all) box.closest("tr").classList.toggle("selected", box.checked);
  const head = grid.querySelector("[data-select-all]");
  if (head) {
    head.checked = all.length > 0 && chosen.length === all.length;
    head.indeterminate = chosen.length > 0 && chosen.length < all.length;
  }
  const scope = grid.closest("[data-rows-scope]") ?? document;
  scope.querySelectorAll("[data-batch]").forEach((bar) => (bar.hidden = chosen.length === 0));
  scope.querySelectorAll("[data-without-batch]").forEach((bar) => (bar.hidden = chosen.length > 0));
  scope.querySelectorAll("[data-chosen]").forEach((place) => (place.textContent = say("chosen", { count: chosen.length })));
}

on("click", '[data-select-rows] tbody input[name="ids"]', (box, event) => {
  const grid = box.closest("[data-select-rows]");
  const all = boxes(grid);
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    all.slice(from, to + 1).forEach((one) => (one.checked = box.checked));
  }
  last = box;
  refresh(grid);
});
on("change", "[data-select-all]", (head) => {
  const grid = head.closest("[data-select-rows]");
  boxes(grid).forEach((box) => (box.checked = head.checked));
  refresh(grid);
});
on("click", "[data-select-none]", () => {
  for (const grid of document.querySelectorAll("[data-select-rows]")) {
    boxes(grid).forEach((box) => (box.checked = false));
    refresh(grid);
  }
});
document.addEventListener("htmx:after:settle", () => document.querySelectorAll("[data-select-rows]").forEach(refresh));
