/* Columns of a grid: wide or narrow, shown or hidden, in which order. The choice is posted as the person's own. */

import { isPhone, later, make, on, send, whenever } from "./dom.js";
import { sortable } from "./sort.js";

const NARROWEST = 64;
const heads = (grid) => [...grid.querySelectorAll("thead tr:first-child > th")];
const named = (grid) => heads(grid).filter((th) => th.dataset.column);

/** Remember the person's columns: {order: [ids], hidden: [ids], widths: {id: pixels}}. */
const keep = later((grid) => {
  const all = named(grid);
  send(grid.dataset.columns, {
    order: all.map((th) => th.dataset.column),
    hidden: all.filter((th) => th.hidden).map((th) => th.dataset.column),
    widths: Object.fromEntries(all.filter((th) => th.dataset.width).map((th) => [th.dataset.column, Number(th.dataset.width)])),
  }).catch(() => {});
}, 500);

function resize(th, width) {
  const to = Math.max(NARROWEST, Math.min(640, Math.round(width)));
  th.dataset.width = to;
  th.style.width = th.style.maxWidth = `${to}px`;
  keep(th.closest("table"));
}

whenever("table.grid[data-columns] thead th[data-column]", (th) => {
  if (isPhone() || th.querySelector(".column-grip")) return;
  th.append(make("span", { class: "column-grip", "aria-hidden": "true" }));
});
on("pointerdown", ".column-grip", (grip, event) => {
  event.preventDefault();
  event.stopPropagation();
  const th = grip.closest("th");
  const [from, width] = [event.clientX, th.getBoundingClientRect().width];
  grip.classList.add("dragging");
  grip.setPointerCapture(event.pointerId);
  grip.onpointermove = (move) => resize(th, width + move.clientX - from);
  grip.onpointerup = () => {
    grip.classList.remove("dragging");
    grip.onpointermove = grip.onpointerup = null;
  };
});
on("click", ".column-grip", (grip, event) => event.stopPropagation(), true);
on("dblclick", ".column-grip", (grip) => {
  const th = grip.closest("th");
  delete th.dataset.width;
  th.style.width = th.style.maxWidth = "";
  keep(th.closest("table"));
});

/* Alt + arrows on a column's head make it wider or narrower without a mouse. */
on("keydown", "table.grid[data-columns] thead th[data-column]", (th, event) => {
  const by = { ArrowRight: 16, ArrowLeft: -16 }[event.key];
  if (!event.altKey || !by) return;
  event.preventDefault();
  resize(th, th.getBoundingClientRect().width + by);
});

const gridOf = (list) => document.querySelector(list.dataset.columnsOf ?? "table.grid[data-columns]");

function arrange(list) {
  const grid = gridOf(list);
  const wanted = [...list.querySelectorAll("[data-column]")].map((item) => ({ id: item.dataset.column, shown: item.querySelector("input").checked }));
  const before = heads(grid).map((th) => th.dataset.column);
  const slots = before.flatMap((id, index) => (id && wanted.some((one) => one.id === id) ? [index] : []));
  const places = wanted.map((one) => before.indexOf(one.id)).filter((index) => index >= 0);
  for (const row of grid.rows) {
    if (row.cells.length !== before.length) continue;
    const cells = [...row.cells];
    const next = [...cells];
    slots.forEach((slot, n) => (next[slot] = cells[places[n]]));
    next.forEach((cell) => row.append(cell));
    wanted.filter((one) => before.includes(one.id)).forEach((one, n) => (next[slots[n]].hidden = !one.shown));
  }
  keep(grid);
}

on("change", ".column-list input", (box) => arrange(box.closest(".column-list")));
whenever(".column-list", (list) => sortable(list, { onEnd: () => arrange(list) }));
on("keydown", ".column-list [data-column]", (item, event) => {
  if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  event.key === "ArrowUp" ? item.previousElementSibling?.before(item) : item.nextElementSibling?.after(item);
  (event.target.closest("input") ?? item).focus();
  arrange(item.closest(".column-list"));
});
