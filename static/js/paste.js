/* Text from a spreadsheet as rows of cells, and a text or answer put into a cell of any type. */

import { pick, pickText } from "./picker.js";

/** Tab-separated text as a list of lines of cells; quoted cells may hold tabs and line breaks. */
export function blocks(text) {
  const lines = [[]];
  const source = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  let at = 0;
  while (at <= source.length) {
    const [cell, end] = source[at] === '"' ? quoted(source, at) : plain(source, at);
    lines.at(-1).push(cell.trim());
    if (source[end] === "\n") lines.push([]);
    at = end + 1;
  }
  return lines;
}

function plain(source, start) {
  const end = source.slice(start).search(/[\t\n]/);
  return end < 0 ? [source.slice(start), source.length] : [source.slice(start, start + end), start + end];
}

function quoted(source, start) {
  let end = start + 1;
  while (end < source.length && !(source[end] === '"' && source[end + 1] !== '"')) end += source[end] === '"' ? 2 : 1;
  if (end >= source.length || !/[\t\n]|^$/.test(source[end + 1] ?? "")) return plain(source, start);
  return [source.slice(start + 1, end).replaceAll('""', '"'), end + 1];
}

/** Put text as a person would write it, or an answer (text or list of ids), into a cell. `like` is a cell to take chosen names from. */
export function fill(cell, answer, like = null) {
  if (answer === undefined || cell.querySelector(".computed")) return;
  cell.dataset.typed = "";
  const picker = cell.querySelector(".picker");
  const given = Array.isArray(answer) ? answer : [String(answer)];
  if (picker) return like ? pick(picker, chosen(like)) : pickText(picker, given.join(","));
  if (cell.querySelector(".upload")) return;
  const box = cell.querySelector('input[type="checkbox"]');
  if (box?.matches(".switch")) box.checked = /^(true|yes|y|1|on|是|对|√|开|✓)$/i.test(given[0].trim());
  else if (cell.querySelector('input[type="radio"], input[type="checkbox"]')) check(cell, given);
  else write(cell.querySelector("input[name], select[name], textarea[name]"), given[0]);
}

const chosen = (cell) => [...cell.querySelectorAll("select option:checked")].filter((option) => option.value).map((option) => ({ id: option.value, text: option.textContent, note: option.dataset.note }));

function check(cell, given) {
  const wanted = given.flatMap((text) => text.split(/[,，、;；]/)).map((text) => text.trim().toLowerCase());
  for (const box of cell.querySelectorAll("input[type=radio], input[type=checkbox]")) {
    box.checked = wanted.includes(box.value.toLowerCase()) || wanted.includes(box.closest("label").textContent.trim().toLowerCase());
  }
}

function write(input, text) {
  if (!input) return;
  if (input.matches("select")) {
    const wanted = text.trim().toLowerCase();
    const found = [...input.options].find((option) => option.value.toLowerCase() === wanted || option.textContent.trim().toLowerCase() === wanted);
    input.value = found?.value ?? "";
  } else if (input.type === "date") input.value = day(text);
  else if (input.type === "datetime-local") input.value = moment(text);
  else if (input.inputMode === "decimal") input.value = text.replace(/[¥$€£￥,，\s]/g, "");
  else input.value = text.replace(/\s*\n\s*/g, input.matches("textarea") ? "\n" : " ");
}

/** 2026/11/4, 2026.11.4, 2026年11月4日 as 2026-11-04; else nothing, which the browser shows as blank. */
function day(text) {
  const found = text.match(/(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})/);
  return found ? `${found[1]}-${found[2].padStart(2, "0")}-${found[3].padStart(2, "0")}` : "";
}

function moment(text) {
  const time = text.match(/(\d{1,2}):(\d{2})/);
  return day(text) && `${day(text)}T${time ? `${time[1].padStart(2, "0")}:${time[2]}` : "00:00"}`;
}
