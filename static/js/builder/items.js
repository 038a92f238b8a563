/* Lists on the panel that grow, shrink and are sorted; the panel saves itself after each. */

import { on, whenever } from "../dom.js";

let added = 0;
const saved = (element) => element.closest("form").dispatchEvent(new Event("change", { bubbles: true }));

on("click", "[data-item-add]", (button) => {
  const list = button.closest("[data-items]").querySelector("[data-item-list]");
  const blank = list.querySelector(":scope > [data-item-blank]");
  const card = blank.content.firstElementChild.cloneNode(true);
  added += 1;
  for (const element of [card, ...card.querySelectorAll("*")]) {
    for (const attribute of [...element.attributes]) {
      if (/[.-]new(?=[.-]|$)/.test(attribute.value)) element.setAttribute(attribute.name, attribute.value.replace(/([.-])new(?=[.-]|$)/g, `$1n${added}`));
    }
  }
  list.append(card);
  if (!card.querySelector("[data-waits]")) saved(list);
  card.querySelector("select, input:not([type=hidden]), textarea, button")?.focus();
});

on("click", "[data-item-remove]", (button) => {
  const form = button.closest("form");
  button.closest("[data-key]").remove();
  form.dispatchEvent(new Event("change", { bubbles: true }));
});

document.addEventListener("sorted", ({ target }) => target.matches("[data-item-list]") && saved(target));

/* Several lines pasted into the name of an option become as many options. */
on("paste", "[data-options] .option-row input", (input, event) => {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (text.trim().split(/\r?\n/).length < 2) return;
  event.preventDefault();
  const place = input.closest("[data-options]");
  place.querySelector("textarea").value = text;
  saved(place);
});

/* Enter in an option goes on to the next; in the last one a new row is there by then. */
on("keydown", "[data-options] .option-row input", (input, event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  const all = [...input.closest("[data-options]").querySelectorAll(`input[name="${CSS.escape(input.name)}"]`)];
  const next = all.indexOf(input) + 1;
  if (all[next]) return all[next].focus();
  const name = input.name;
  document.addEventListener("htmx:after:settle", () => [...document.querySelectorAll(`input[name="${CSS.escape(name)}"]`)].at(-1)?.focus(), { once: true });
  if (input.value) input.dispatchEvent(new Event("change", { bubbles: true }));
});

on("change", ".option-color", (select) => (select.className = `option-color tone-${select.value}`));

/* The choice between all and any is there once there is something to join. */
whenever("[data-conditions][data-quiet]", (place) => {
  const joined = place.querySelector(".joined");
  if (!joined) return;
  new MutationObserver(() => (joined.hidden = place.querySelectorAll("[data-condition]").length < 2)).observe(place.querySelector("[data-condition-rows]"), { childList: true });
});
