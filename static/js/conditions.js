/* The filter panel: rows of field, comparison and value. The server makes the formula of them. */

import { make, on, whenever } from "./dom.js";

const fieldsOf = (form) => JSON.parse(form.parentElement.querySelector("[data-condition-fields]").textContent);

function fill(row, fields, keep = false) {
  const field = fields.find((one) => one.id === row.querySelector('[name="field"]').value);
  const operators = row.querySelector('[name="operator"]');
  const wanted = keep ? operators.dataset.chosenOperator : operators.value;
  operators.replaceChildren(...(field?.operators ?? []).map((one) => make("option", { value: one.id, selected: one.id === wanted }, one.text)));
  value(row, field, keep);
}

function value(row, field, keep = false) {
  const place = row.querySelector("[data-condition-value]");
  const chosen = field?.operators.find((one) => one.id === row.querySelector('[name="operator"]').value);
  const before = keep ? place.dataset.value : (place.querySelector("[name]")?.value ?? "");
  place.replaceChildren(input(field, chosen, before));
}

function input(field, operator, before) {
  if (!operator || operator.values === 0) return make("input", { type: "hidden", name: "value", value: "" });
  if (field.source) return people(field, operator, before);
  if (field.options.length) return options(field, operator, before);
  const type = { number: "text", date: "date", datetime: "date", time: "time" }[field.kind] ?? "text";
  return make("input", { class: "input small", name: "value", type, value: before, "aria-label": operator.text, inputmode: field.kind === "number" ? "decimal" : null });
}

/* Several options travel in one value, parted by a character that nobody types. */
function options(field, operator, before) {
  const chosen = before.split("\x1f");
  if (operator.values !== -1) {
    return make("select", { class: "input small", name: "value", "aria-label": operator.text }, ...field.options.map((one) => make("option", { value: one.id, selected: one.id === chosen[0] }, one.text)));
  }
  const kept = make("input", { type: "hidden", name: "value", value: before });
  const boxes = field.options.map((one) => make("label", { class: "check-line" }, make("input", { type: "checkbox", value: one.id, checked: chosen.includes(one.id) }), one.text));
  const list = make("span", { class: "stack tight" }, ...boxes, kept);
  list.addEventListener("change", () => (kept.value = [...list.querySelectorAll(":checked")].map((box) => box.value).join("\x1f")));
  return list;
}

/* Members, departments and records are looked up; those chosen before come with their names. */
function people(field, operator, before) {
  const chosen = before.split("\x1f");
  const several = operator.values === -1;
  const known = field.options.filter((one) => chosen.includes(one.id)).map((one) => make("option", { value: one.id, selected: true }, one.text));
  const select = make("select", { class: "input small", multiple: several, "data-label": operator.text }, ...(several ? [] : [make("option", { value: "" })]), ...known);
  const kept = make("input", { type: "hidden", name: "value", value: known.map((one) => one.value).join("\x1f") });
  const picker = make("div", { class: "picker", "data-picker": true, "data-source": field.source }, select);
  picker.addEventListener("change", () => (kept.value = [...select.selectedOptions].map((one) => one.value).filter(Boolean).join("\x1f")));
  return make("span", {}, picker, kept);
}

whenever("form[data-conditions]", (form) => {
  for (const row of form.querySelectorAll("[data-condition-rows] [data-condition]")) fill(row, fieldsOf(form), true);
});
on("change", '[data-condition] [name="field"]', (select) => fill(select.closest("[data-condition]"), fieldsOf(select.form)));
on("change", '[data-condition] [name="operator"]', (select) => {
  const row = select.closest("[data-condition]");
  value(row, fieldsOf(select.form).find((one) => one.id === row.querySelector('[name="field"]').value));
});
on("click", "[data-condition-add]", (button) => {
  const form = button.closest("form");
  const row = form.querySelector("[data-blank-condition]").content.cloneNode(true);
  form.querySelector("[data-condition-rows]").append(row);
});
on("click", "[data-condition-remove]", (button) => {
  const row = button.closest("[data-condition]");
  if (row.parentElement.querySelectorAll("[data-condition]").length > 1) row.remove();
  else row.querySelector('[name="field"]').value = "", fill(row, fieldsOf(row.closest("form")));
});
