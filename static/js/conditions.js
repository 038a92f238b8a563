/* Rows of field, comparison and value. The server makes the formula of them. `data-name` on the place goes before the names. */

import { make, on, whenever } from "./dom.js";

const PLACE = "[data-conditions]";
const prefix = (row) => (row.closest(PLACE).dataset.name ? `${row.closest(PLACE).dataset.name}.` : "");

function fieldsOf(place) {
  const key = place.dataset.fields;
  const list = key === undefined ? place.parentElement.querySelector("[data-condition-fields]") : document.querySelector(`[data-condition-fields="${CSS.escape(key)}"]`);
  return JSON.parse(list?.textContent || "[]");
}

function fill(row, fields, keep = false) {
  const field = fields.find((one) => one.id === row.querySelector("[data-condition-field]").value);
  const operators = row.querySelector("[data-condition-operator]");
  const wanted = keep ? operators.dataset.chosenOperator : operators.value;
  operators.replaceChildren(...(field?.operators ?? []).map((one) => make("option", { value: one.id, selected: one.id === wanted }, one.text)));
  operators.hidden = !field;
  value(row, field, keep);
}

function value(row, field, keep = false) {
  const place = row.querySelector("[data-condition-value]");
  const chosen = field?.operators.find((one) => one.id === row.querySelector("[data-condition-operator]").value);
  const before = keep ? place.dataset.value : (place.querySelector("[name]")?.value ?? "");
  place.replaceChildren(input(`${prefix(row)}value`, field, chosen, before));
}

function input(name, field, operator, before) {
  if (!operator || operator.values === 0) return make("input", { type: "hidden", name, value: "" });
  if (field.source) return people(name, field, operator, before);
  if (field.options.length) return options(name, field, operator, before);
  const date = ["date", "datetime"].includes(field.kind);
  if (date && /\(\)$/.test(before)) return make("input", { class: "input small", name, value: before, "aria-label": operator.text });
  const type = date ? "date" : field.kind === "time" ? "time" : "text";
  return make("input", { class: "input small", name, type, value: before, "aria-label": operator.text, inputmode: field.kind === "number" ? "decimal" : null });
}

/* Several options travel in one value, parted by a character that nobody types. */
function options(name, field, operator, before) {
  const chosen = before.split("\x1f");
  if (operator.values !== -1) {
    return make("select", { class: "input small", name, "aria-label": operator.text }, ...field.options.map((one) => make("option", { value: one.id, selected: one.id === chosen[0] }, one.text)));
  }
  const kept = make("input", { type: "hidden", name, value: before });
  const boxes = field.options.map((one) => make("label", { class: "check-line" }, make("input", { type: "checkbox", value: one.id, checked: chosen.includes(one.id) }), one.text));
  const list = make("span", { class: "stack tight" }, ...boxes, kept);
  list.addEventListener("change", () => (kept.value = [...list.querySelectorAll(":checked")].map((box) => box.value).join("\x1f")));
  return list;
}

/* Members and departments are looked up; those chosen before come with their names. */
function people(name, field, operator, before) {
  const chosen = before.split("\x1f");
  const several = operator.values === -1;
  const known = field.options.filter((one) => chosen.includes(one.id)).map((one) => make("option", { value: one.id, selected: true }, one.text));
  const select = make("select", { class: "input small", multiple: several, "data-label": operator.text }, ...(several ? [] : [make("option", { value: "" })]), ...known);
  const kept = make("input", { type: "hidden", name, value: known.map((one) => one.value).join("\x1f") });
  const picker = make("div", { class: "picker", "data-picker": true, "data-source": field.source }, select);
  picker.addEventListener("change", () => (kept.value = [...select.selectedOptions].map((one) => one.value).filter(Boolean).join("\x1f")));
  return make("span", {}, picker, kept);
}

/* Whether every row says something; until then a panel that saves at once keeps still. */
function complete(place) {
  const fields = fieldsOf(place);
  return [...place.querySelectorAll("[data-condition]")].every((row) => {
    const field = fields.find((one) => one.id === row.querySelector("[data-condition-field]").value);
    const operator = field?.operators.find((one) => one.id === row.querySelector("[data-condition-operator]").value);
    return operator && (operator.values === 0 || row.querySelector(`[name="${CSS.escape(prefix(row))}value"]`).value !== "");
  });
}

function changed(place, event) {
  const row = event.target.closest("[data-condition]");
  if (row && event.target.matches("[data-condition-field]")) fill(row, fieldsOf(place));
  else if (row && event.target.matches("[data-condition-operator]")) value(row, fieldsOf(place).find((one) => one.id === row.querySelector("[data-condition-field]").value));
  if (row && "quiet" in place.dataset && !complete(place)) event.stopPropagation();
}

function drawn(place) {
  for (const row of place.querySelectorAll("[data-condition-rows] [data-condition]")) {
    const blank = !row.querySelector("[data-condition-operator] option") || !row.querySelector("[data-condition-value]").childElementCount;
    if (blank || row.querySelector("[data-stub]")) fill(row, fieldsOf(place), true);
  }
}

whenever(PLACE, (place) => {
  drawn(place);
  place.addEventListener("change", (event) => changed(place, event));
});
document.addEventListener("htmx:after:settle", () => document.querySelectorAll(PLACE).forEach(drawn));

on("click", "[data-condition-add]", (button) => {
  const place = button.closest(PLACE);
  const row = place.querySelector("[data-blank-condition]").content.cloneNode(true).firstElementChild;
  place.querySelector("[data-condition-rows]").append(row);
  row.querySelector("[data-condition-field]").name = `${prefix(row)}field`;
  row.querySelector("[data-condition-operator]").name = `${prefix(row)}operator`;
  fill(row, fieldsOf(place));
  row.querySelector("select").focus();
});
on("click", "[data-condition-remove]", (button) => {
  const row = button.closest("[data-condition]");
  const place = row.closest(PLACE);
  const last = !row.parentElement.querySelector("[data-condition] ~ [data-condition]");
  if (last && !("quiet" in place.dataset)) {
    row.querySelector("[data-condition-field]").value = "";
    fill(row, fieldsOf(place));
    return;
  }
  const list = row.parentElement;
  row.remove();
  if ("quiet" in place.dataset && complete(place)) list.dispatchEvent(new Event("change", { bubbles: true }));
});
