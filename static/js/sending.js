/* What a form sends: a blank for what is left empty, `false` for a switch that is off, a subform as one JSON part. */

/** The answers in one row of a subform, by column. */
export function readRow(row) {
  const answers = row.dataset.rowId ? { _id: row.dataset.rowId } : {};
  for (const cell of row.querySelectorAll("td[data-column]")) {
    const answer = readCell(cell);
    if (answer !== undefined) answers[cell.dataset.column] = answer;
  }
  return answers;
}

/** The answer in a cell: text, or a list for fields of several values; undefined for what is only shown. */
export function readCell(cell) {
  const inputs = [...cell.querySelectorAll("input[name], select[name], textarea[name]")].filter((one) => !one.disabled && !one.closest(".ts-wrapper"));
  const place = cell.querySelector("[data-sends]");
  if (!inputs.length && !place) return undefined;
  const given = inputs.flatMap(valuesOf);
  if (cell.matches("[data-several]") || cell.querySelector("[data-several], select[multiple]")) return given;
  return given.at(-1) ?? place?.dataset.blank ?? "";
}

function valuesOf(input) {
  if (input.matches("[type=checkbox], [type=radio]")) return input.checked ? [input.value] : [];
  if (input.matches("select[multiple]")) return [...input.selectedOptions].map((option) => option.value);
  return [input.value];
}

function takeRows(form, data) {
  for (const subform of form.querySelectorAll("[data-rows]")) {
    const name = subform.dataset.rows;
    for (const key of new Set(data.keys())) if (key.startsWith(`${name}[`)) data.delete(key);
    const rows = [...subform.querySelectorAll("tr[data-row]")].map(readRow);
    data.set(name, JSON.stringify(rows));
  }
}

function addBlanks(form, data) {
  for (const place of form.querySelectorAll("[data-sends]")) {
    const name = place.dataset.sends;
    if (!place.closest("[data-rows], :disabled") && !data.has(name)) data.append(name, place.dataset.blank ?? "");
  }
}

document.addEventListener("formdata", ({ target, formData }) => {
  takeRows(target, formData);
  addBlanks(target, formData);
});
