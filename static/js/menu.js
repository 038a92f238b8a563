/* Menus: popovers set beside their button, moved through by arrows. */

import { on } from "./dom.js";

const GAP = 4;
const EDGE = 8;
const items = (list) => [...list.querySelectorAll('[role^="menuitem"]:not(:disabled, [hidden])')];
const opener = (list) => document.querySelector(`[popovertarget="${CSS.escape(list.id)}"][data-opener]`) ?? document.querySelector(`[popovertarget="${CSS.escape(list.id)}"]`);

function settle(list) {
  const button = opener(list);
  if (!button) return;
  const from = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const below = innerHeight - from.bottom >= height + GAP + EDGE || from.top < height + GAP;
  list.style.left = `${Math.max(EDGE, Math.min(from.left + width > innerWidth - EDGE ? from.right - width : from.left, innerWidth - width - EDGE))}px`;
  list.style.top = `${Math.max(EDGE, below ? from.bottom + GAP : from.top - height - GAP)}px`;
}

document.addEventListener("toggle", (event) => {
  const list = event.target;
  if (!list.matches?.(".menu-list")) return;
  const open = event.newState === "open";
  opener(list)?.setAttribute("aria-expanded", String(open));
  if (!open) return;
  settle(list);
  (list.querySelector("[data-focus]") ?? items(list)[0] ?? list.querySelector("input, select, button"))?.focus({ preventScroll: true });
}, true);

on("keydown", '.menu-list[role="menu"]', (list, event) => {
  const all = items(list);
  const here = all.indexOf(document.activeElement);
  const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  all.at(to % all.length)?.focus();
});
on("click", '.menu-list[role="menu"] [role="menuitem"]', (item) => item.closest(".menu-list").hidePopover());
addEventListener("resize", () => document.querySelectorAll(".menu-list:popover-open").forEach(settle));
document.addEventListener("scroll", (event) => {
  for (const list of document.querySelectorAll(".menu-list:popover-open")) if (!list.contains(event.target)) settle(list);
}, true);
