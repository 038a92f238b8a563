/* Rows of a subform: add, copy, remove, reorder; keys as in a spreadsheet; a block pasted from one. */

import { isPhone, on, say, whenever } from "./dom.js";
import { readRow } from "./sending.js";
import { sortable } from "./sort.js";
import { blocks, fill } from "./paste.js";
import { toast } from "./toast.js";

const REFERENCES = ["id", "for", "aria-describedby", "aria-labelledby", "aria-controls"];
/** The rows that there are. */
export const rowsOf = (subform) => [...subform.querySelectorAll("tr[data-row]")];
const body = (subform) => subform.querySelector("tbody");
const most = (subform) => Number(subform.dataset.most || 2000);
const cellsOf = (row) => [...row.querySelectorAll("td[data-column]")];
const entry = (cell) => cell?.querySelector(".ts-control input, input:not([type=hidden], .ts-wrapper input), select:not(.tomselected), textarea");

/** A new row at the end or after another; null when there are as many as allowed. */
export function addRow(subform, after = null) {
  const [made] = addRows(subform, 1, after);
  if (!made) toast(say("too_many_rows", { count: most(subform) }), { kind: "warn" });
  return made ?? null;
}

/** As many new rows as are wanted and allowed, numbered together. */
export function addRows(subform, wanted, after = null) {
  const blank = subform.querySelector("template[data-blank-row]").content.firstElementChild;
  const room = Math.max(0, Math.min(wanted, most(subform) - rowsOf(subform).length));
  const made = Array.from({ length: room }, () => blank.cloneNode(true));
  after ? after.after(...made) : body(subform).append(...made);
  if (room) renumber(subform);
  return made;
}

/** Give every row the names and ids of its place. */
export function renumber(subform) {
  const rows = rowsOf(subform);
  rows.forEach((row, place) => number(subform, row, place));
  const none = subform.querySelector(".empty-rows");
  if (none) none.hidden = rows.length > 0;
}

function number(subform, row, place) {
  const name = subform.dataset.rows;
  row.querySelector(".row-number > span").textContent = place + 1;
  for (const cell of cellsOf(row)) {
    const old = cell.id.replace(/-cell$/, "");
    const path = `${name}[${place}].${cell.dataset.column}`;
    const next = `f-${path.replace(/\W/g, "-")}`;
    for (const element of [cell, ...cell.querySelectorAll("*")]) {
      if (old !== next) for (const attribute of REFERENCES) rename(element, attribute, old, next);
      for (const attribute of ["name", "data-sends", "data-name"]) if (element.getAttribute(attribute)?.startsWith(`${name}[`)) element.setAttribute(attribute, path);
    }
  }
}

function rename(element, attribute, old, next) {
  const value = element.getAttribute(attribute);
  if (!value?.includes(old)) return;
  const changed = value.split(" ").map((word) => (word === old || word.startsWith(`${old}-`) ? next + word.slice(old.length) : word));
  element.setAttribute(attribute, changed.join(" "));
}

/** Tell the form that rows have changed, for live values and drafts; and the person where some had no room. */
export function changed(subform, full = false) {
  if (full) toast(say("too_many_rows", { count: most(subform) }), { kind: "warn" });
  subform.dispatchEvent(new CustomEvent("change", { bubbles: true }));
}

function copyRow(row) {
  const subform = row.closest("[data-rows]");
  const made = addRow(subform, row);
  if (!made) return;
  const { _id, ...answers } = readRow(row);
  const shown = Object.fromEntries(cellsOf(row).map((cell) => [cell.dataset.column, cell]));
  for (const cell of cellsOf(made)) fill(cell, answers[cell.dataset.column], shown[cell.dataset.column]);
  changed(subform);
  entry(cellsOf(made)[0])?.focus();
}

function removeRow(row) {
  const subform = row.closest("[data-rows]");
  const next = row.nextElementSibling;
  const near = next ?? row.previousElementSibling;
  row.remove();
  renumber(subform);
  changed(subform);
  (near?.querySelector("[data-row-remove]") ?? subform.querySelector("[data-row-add]")).focus();
  toast(say("row_removed"), {
    kind: "info",
    action: {
      text: say("undo"),
      act: () => {
        if (!subform.isConnected) return;
        body(subform).insertBefore(row, next?.isConnected ? next : null);
        renumber(subform);
        changed(subform);
      },
    },
  });
}

on("click", "[data-row-add]", (button) => {
  const row = addRow(button.closest("[data-rows]"));
  if (!row) return;
  changed(row.closest("[data-rows]"));
  row.scrollIntoView({ block: "nearest" });
  entry(cellsOf(row)[0])?.focus();
});
on("click", "[data-row-copy]", (button) => copyRow(button.closest("tr")));
on("click", "[data-row-remove]", (button) => removeRow(button.closest("tr")));
whenever("[data-rows] tbody", (list) => {
  if (isPhone()) return;
  const subform = list.closest("[data-rows]");
  sortable(list, { handle: "[data-sort-handle]", onEnd: () => (renumber(subform), changed(subform)) });
});

/* Keys: Enter goes down (and adds a row at the end), arrows move between rows, Alt + arrows move the row. */
on("keydown", "[data-rows] td[data-column]", (cell, event) => {
  const { key, target } = event;
  const open = target.closest(".ts-wrapper.dropdown-active");
  if (event.isComposing || open) return;
  const row = cell.closest("tr");
  if (event.altKey && (key === "ArrowUp" || key === "ArrowDown")) return moveRow(event, row);
  if (key === "Enter" && !event.shiftKey && !target.matches("textarea, button, a")) {
    event.preventDefault();
    goTo(row.nextElementSibling ?? addedTo(row), cell);
  }
  if (target.matches('input[type="text"], input[type="tel"], input[type="email"], input[type="url"]') && (key === "ArrowUp" || key === "ArrowDown")) {
    const next = key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
    if (next && !target.closest(".ts-wrapper")) {
      event.preventDefault();
      goTo(next, cell);
    }
  }
});

function addedTo(row) {
  const made = addRow(row.closest("[data-rows]"));
  if (made) changed(made.closest("[data-rows]"));
  return made;
}

function goTo(row, from) {
  const input = entry(row && cellsOf(row).find((cell) => cell.dataset.column === from.dataset.column));
  input?.focus();
  input?.select?.();
}

function moveRow(event, row) {
  const beside = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
  if (!beside) return;
  event.preventDefault();
  const focus = document.activeElement;
  event.key === "ArrowUp" ? beside.before(row) : beside.after(row);
  renumber(row.closest("[data-rows]"));
  focus.focus();
  changed(row.closest("[data-rows]"));
}

/* A block copied from a spreadsheet fills the cells from here on. */
on("paste", "[data-rows] td[data-column]", (cell, event) => {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const lines = blocks(text);
  if (lines.length < 2 && (lines[0]?.length ?? 0) < 2) return;
  event.preventDefault();
  const subform = cell.closest("[data-rows]");
  const first = cellsOf(cell.closest("tr")).indexOf(cell);
  const here = rowsOf(subform).slice(rowsOf(subform).indexOf(cell.closest("tr")));
  const rows = [...here, ...addRows(subform, lines.length - here.length)].slice(0, lines.length);
  rows.forEach((row, n) => {
    const cells = cellsOf(row);
    lines[n].forEach((given, column) => cells[first + column] && fill(cells[first + column], given));
  });
  changed(subform);
  if (rows.length < lines.length) toast(say("rows_left_out", { count: rows.length, all: lines.length, most: most(subform) }), { kind: "warn" });
  else toast(say("rows_pasted", { count: rows.length }));
}, true);
