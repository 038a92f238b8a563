/* Choosing several records at once: each becomes a row of the subform. */

import { make, on, say } from "./dom.js";
import { find, pick } from "./picker.js";
import { explain } from "./requests.js";
import { readRow } from "./sending.js";
import { addRows, changed, rowsOf } from "./subform.js";

const DELAY = 250;

on("click", "[data-choose]", (button) => open(button.closest("[data-rows]"), button));

function open(subform, button) {
  const chosen = new Map();
  const here = new Set(rowsOf(subform).map((row) => readRow(row)[button.dataset.choose]).filter(Boolean));
  const search = make("input", { class: "input", type: "search", "aria-label": say("search"), placeholder: say("search") });
  const list = make("div", { class: "choose-list", role: "group", "aria-label": button.textContent.trim() });
  const add = make("button", { class: "button primary", value: "yes", disabled: "" });
  const box = make("dialog", { class: "dialog choose-dialog", "aria-labelledby": "choose-title" });
  box.append(
    make("header", { class: "dialog-head" }, make("h2", { id: "choose-title" }, button.textContent.trim())),
    make("div", { class: "dialog-body" }, search, list),
    make("form", { class: "dialog-foot", method: "dialog" }, make("button", { class: "button", value: "no" }, say("cancel")), add),
  );

  function count() {
    add.textContent = say("add_rows", { count: chosen.size });
    add.disabled = chosen.size === 0;
  }

  function line(item) {
    const box = make("input", { type: "checkbox" });
    box.checked = chosen.has(item.id);
    box.addEventListener("change", () => {
      box.checked ? chosen.set(item.id, item) : chosen.delete(item.id);
      count();
    });
    const note = [here.has(item.id) ? say("in_rows") : "", item.note].filter(Boolean).join(" · ");
    return make("label", { class: "check-line choose-line" }, box, make("span", {}, item.text, ...(note ? [make("small", {}, note)] : [])));
  }

  let asked = 0;
  async function show() {
    const turn = ++asked;
    try {
      const found = await find(button.dataset.source, search.value, button, { several: 1 });
      if (turn === asked) list.replaceChildren(...(found.length ? found.map(line) : [make("p", { class: "faint small" }, say("none_found"))]));
    } catch (refused) {
      explain(refused?.status ?? 0, (await refused?.text?.()) ?? "");
    }
  }

  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, DELAY);
  });
  search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  box.addEventListener("close", () => {
    box.remove();
    if (box.returnValue === "yes") take(subform, button.dataset.choose, [...chosen.values()]);
    button.focus();
  });
  count();
  document.body.append(box);
  box.showModal();
  search.focus();
  show();
}

/* Rows that name no record yet are filled first. */
function take(subform, column, items) {
  const empty = rowsOf(subform).filter((row) => !readRow(row)[column]);
  const rows = [...empty, ...addRows(subform, items.length - empty.length)].slice(0, items.length);
  rows.forEach((row, n) => {
    const picker = row.querySelector(`td[data-column="${CSS.escape(column)}"] .picker`);
    if (picker) pick(picker, [items[n]], true);
  });
  changed(subform, items.length > rows.length);
}
