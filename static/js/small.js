/* Behaviours too small for a file of their own. */

import { on, whenever } from "./dom.js";

on("change", "select[data-go]", (select) => {
  const url = new URL(select.dataset.go || location.href, location.href);
  url.searchParams.set(select.name, select.value);
  location.href = url.href;
});
on("change", "[data-submits]", (input) => input.form.requestSubmit());
on("click", "[data-print]", () => print());
on("click", "[data-full-screen]", (button) => {
  const area = document.querySelector(button.dataset.fullScreen) ?? document.documentElement;
  document.fullscreenElement ? document.exitFullscreen() : area.requestFullscreen();
});
/* The focus goes to the element, or to the one that it names. */
whenever("[data-focus]", (element) => (document.getElementById(element.dataset.focus) ?? element).focus({ preventScroll: element.matches(".menu-list *") }));

/* A radio that is clicked again gives its answer up, so that a choice can be emptied. */
const before = new WeakMap();
on("pointerdown", "label:has([data-unpick]), [data-unpick]", (label) => {
  const radio = label.matches("input") ? label : label.querySelector("[data-unpick]");
  before.set(radio, radio.checked);
});
on("click", "[data-unpick]", (radio, event) => {
  if (!before.get(radio) || !event.isTrusted) return before.set(radio, false);
  before.set(radio, false);
  radio.checked = false;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
});

/* The palette is fetched when somebody is about to want it. */
const fetched = () => import("./palette.js");
const palette = async () => (await fetched()).open();
on("pointerover", "[data-palette-open]", fetched);
on("click", "[data-palette-open]", palette);
document.addEventListener("keydown", (event) => {
  if (event.key === "Control" || event.key === "Meta") fetched();
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    palette();
  }
});

/* A list scrolled sideways gets a shadow on its fixed column. */
document.addEventListener("scroll", ({ target }) => {
  if (target instanceof Element && target.matches(".grid-scroll")) target.classList.toggle("scrolled", target.scrollLeft > 0);
}, { capture: true, passive: true });

/* Enter goes on to the next input of a form that is filled in; from the last one to its button. */
const STOPS = "input:not([type=hidden]), select:not(.tomselected), textarea, button.primary[type=submit]";
on("keydown", "form[data-live] input.input", (input, event) => {
  if (event.key !== "Enter" || event.isComposing || event.defaultPrevented || input.closest("[data-rows], .ts-wrapper")) return;
  event.preventDefault();
  const stops = [...input.form.querySelectorAll(STOPS)].filter((stop) => !stop.disabled && stop.checkVisibility());
  stops[stops.indexOf(input) + 1]?.focus();
});
