/* Province, city and district, each offering what lies in the one before; all parts are sent as one. */

import { make, say, whenever } from "./dom.js";

const LEVELS = ["province", "city", "district"];
let divisions = null;

const part = (field, name) => field.querySelector(`[data-part="${name}"]`);
const known = async (field) => (divisions ??= fetch(field.dataset.divisions).then((answer) => answer.json()));

function start(field) {
  for (const input of field.querySelectorAll("[data-part]")) {
    input.addEventListener("change", () => changed(field, input.dataset.part));
    input.addEventListener("input", () => gather(field));
  }
  field.addEventListener("pointerenter", () => known(field), { once: true });
}

async function changed(field, name) {
  const below = LEVELS.slice(LEVELS.indexOf(name) + 1);
  if (LEVELS.includes(name)) below.forEach((level) => offer(part(field, level), level, []));
  gather(field);
  const next = part(field, below[0]);
  if (!LEVELS.includes(name) || !next) return;
  const cities = (await known(field))[part(field, "province").value] ?? {};
  offer(next, below[0], below[0] === "city" ? Object.keys(cities) : (cities[part(field, "city")?.value] ?? []));
  if (next.options.length === 2) choose(field, next, below[0]);
}

/* Where there is only one, as of a municipality, it is chosen already. */
function choose(field, select, level) {
  select.selectedIndex = 1;
  changed(field, level);
  tell(field);
}

function offer(select, level, names) {
  if (!select) return;
  select.replaceChildren(make("option", { value: "" }, say(level)), ...names.map((name) => make("option", {}, name)));
  select.disabled = !names.length;
}

function gather(field) {
  const parts = [...field.querySelectorAll("[data-part]")].map((input) => [input.dataset.part, input.value.trim()]).filter(([, text]) => text);
  field.querySelector("input[type=hidden]").value = parts.length ? JSON.stringify(Object.fromEntries(parts)) : "";
}

const tell = (field) => field.dispatchEvent(new CustomEvent("change", { bubbles: true }));

whenever("[data-address]", start);
