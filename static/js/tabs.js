/* Tabs whose panels are on the page. Tabs that are links simply go there. */

import { on, whenever } from "./dom.js";

function choose(tab) {
  const list = tab.closest('[role="tablist"]');
  for (const one of list.querySelectorAll('[role="tab"]')) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", String(chosen));
    one.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(one.getAttribute("aria-controls"));
    if (panel) panel.hidden = !chosen;
  }
}

on("click", 'button[role="tab"][aria-controls]', choose);
on("keydown", '[role="tablist"]', (list, event) => {
  const tabs = [...list.querySelectorAll('[role="tab"]:not(:disabled)')];
  const here = tabs.indexOf(event.target.closest('[role="tab"]'));
  const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (here < 0 || to === undefined) return;
  event.preventDefault();
  const tab = tabs.at(to % tabs.length);
  tab.focus();
  if (tab.matches("button")) tab.click();
});
whenever(".tabs > [aria-current]", (tab) => tab.scrollIntoView({ block: "nearest", inline: "center" }));
