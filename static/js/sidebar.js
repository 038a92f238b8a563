/* The navigation at the side: folding, the slide-over on phones, its search, remembered groups. */

import { isPhone, on, remember, store, whenever } from "./dom.js";

const root = document.documentElement;
const side = () => document.getElementById("side");

function slide(open) {
  side()?.classList.toggle("open", open);
  if (open) side().querySelector("a, input")?.focus();
  else document.querySelector(".topbar [data-side-toggle]")?.focus();
  expanded();
}

function fold(folded) {
  if (folded) root.dataset.sidebar = "folded";
  else delete root.dataset.sidebar;
  remember("sidebar", folded ? "folded" : "open");
  expanded();
}

function expanded() {
  const open = isPhone() ? side()?.classList.contains("open") : root.dataset.sidebar !== "folded";
  document.querySelectorAll("[data-side-toggle][aria-controls]").forEach((button) => button.setAttribute("aria-expanded", String(Boolean(open))));
}

on("click", "[data-side-toggle]", () => (isPhone() ? slide(!side()?.classList.contains("open")) : fold(root.dataset.sidebar !== "folded")));
on("click", "[data-side-close]", () => slide(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && side()?.classList.contains("open")) slide(false);
});

function search(input) {
  const asked = input.value.trim().toLowerCase();
  const nav = side();
  let found = 0;
  for (const item of nav.querySelectorAll("[data-nav]")) {
    item.hidden = Boolean(asked) && !item.textContent.toLowerCase().includes(asked);
    found += item.hidden ? 0 : 1;
  }
  for (const group of nav.querySelectorAll(".nav-group")) {
    group.hidden = !group.querySelector("[data-nav]:not([hidden])");
    if (asked) group.open = true;
  }
  nav.querySelector("[data-nav-none]").hidden = found > 0;
}

on("input", "[data-nav-search]", search);
on("keydown", "[data-nav-search]", (input, event) => {
  if (event.key === "Enter") side().querySelector("[data-nav]:not([hidden])")?.click();
  if (event.key === "Escape" && input.value) {
    input.value = "";
    search(input);
    event.stopPropagation();
  }
});

whenever("details[data-fold]", (details) => {
  const key = `fold:${details.dataset.fold}`;
  const kept = store.get(key);
  if (kept && !details.querySelector("[aria-current]")) details.open = kept === "open";
  details.addEventListener("toggle", () => store.set(key, details.open ? "open" : "closed"));
});
whenever(".side-nav [aria-current]", (item) => item.scrollIntoView({ block: "nearest" }));
expanded();
