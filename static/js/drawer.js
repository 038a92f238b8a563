/* The side drawer: a record over its list, with its own address, previous and next. */

import { on } from "./dom.js";
import { closeCarefully, focusIn } from "./dialog.js";
import { fragment, place } from "./requests.js";

const drawer = () => document.getElementById("drawer");
const path = (url) => new URL(url, location.href).pathname + new URL(url, location.href).search;
const links = () => [...document.querySelectorAll("#main a[data-drawer]")].filter((link) => !link.closest(".record-link"));
let home = null;
let left = null;
let shown = null;

/** Show this address in the drawer. `history` is "push", "replace" or "keep". */
export async function openDrawer(url, history = "push") {
  const text = await fragment(url, "div#drawer-body");
  if (text === null) return;
  const wasOpen = drawer().open;
  home ??= history === "keep" && left ? left : path(location.href);
  await place(text, document.getElementById("drawer-body"));
  if (wasOpen && !drawer().open) return;
  shown = path(url);
  if (history === "push") window.history.pushState({ htmx: true, drawer: true }, "", url);
  if (history === "replace") window.history.replaceState({ htmx: true, drawer: true }, "", url);
  if (!wasOpen) drawer().showModal();
  if (!drawer().contains(document.activeElement)) focusIn(drawer());
  mark();
}

/** Close it and put the list's address back. */
export function closeDrawer() {
  if (!drawer()?.open) return;
  if (home && path(location.href) !== home) window.history.pushState({ htmx: true }, "", home);
  shut();
}

function shut() {
  drawer().close();
  document.getElementById("drawer-body").replaceChildren();
  const last = shown;
  left = home;
  home = shown = null;
  mark();
  links().find((link) => path(link.href) === last)?.focus({ preventScroll: true });
}

/* The row whose record is shown, and what lies before and after it. */
function mark() {
  document.querySelectorAll("tr.current, .board-card.current").forEach((row) => row.classList.remove("current"));
  const all = links().map((link) => path(link.href));
  const place = all.indexOf(shown);
  links()[place]?.closest("tr, .board-card")?.classList.add("current");
  for (const button of document.querySelectorAll("[data-drawer-step]")) {
    button.disabled = place < 0 || all[place + Number(button.dataset.drawerStep)] === undefined;
  }
}

function step(by) {
  const all = links();
  const next = all[all.findIndex((link) => path(link.href) === shown) + by];
  if (next) closeCarefully(drawer(), () => openDrawer(next.href, "replace"));
}

on("click", "a[data-drawer]", (link, event) => {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openDrawer(link.href, "push");
});
on("click", ".grid tbody tr", (row, event) => {
  if (event.defaultPrevented || event.target.closest("a, button, input, select, textarea, label, .edited, .check, .actions") || getSelection().toString()) return;
  const link = row.querySelector("a[data-drawer]");
  if (!link) return;
  event.ctrlKey || event.metaKey ? window.open(link.href, "_blank") : openDrawer(link.href);
});
on("click", "[data-drawer-close]", () => closeCarefully(drawer(), closeDrawer));
on("click", "[data-drawer-step]", (button) => step(Number(button.dataset.drawerStep)));
on("mousedown", "dialog.drawer", (box, event) => {
  if (event.target === box && event.clientX < box.getBoundingClientRect().left) closeCarefully(box, closeDrawer);
});
document.addEventListener("cancel", (event) => {
  if (event.target !== drawer()) return;
  event.preventDefault();
  closeCarefully(drawer(), closeDrawer);
}, true);
document.addEventListener("close-drawer", closeDrawer);

/* Back and forward between a list and its records need no new page. */
document.addEventListener("htmx:before:history:restore", (event) => {
  const to = event.detail.path;
  if (drawer()?.open && to === home) {
    event.preventDefault();
    shut();
  } else if (window.history.state?.drawer && (drawer()?.open || links().some((link) => path(link.href) === to))) {
    event.preventDefault();
    openDrawer(to, "keep");
  }
});
