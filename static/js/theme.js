/* Light, dark or as the system says; charts hear of a change. */

import { on, remember } from "./dom.js";

on("click", "[data-theme-choice]", (item) => {
  document.documentElement.dataset.theme = item.dataset.themeChoice;
  remember("theme", item.dataset.themeChoice);
  document.querySelectorAll("[data-theme-choice]").forEach((one) => one.setAttribute("aria-checked", String(one === item)));
  document.dispatchEvent(new CustomEvent("theme"));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme")));
