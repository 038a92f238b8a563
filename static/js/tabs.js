/* Tabs whose panels are on the page, and folded sections. Tabs that are links simply go there. */

import { on, whenever } from "./dom.js";

const chosen = new WeakMap();
const tabsOf = (list) => [...list.querySelectorAll('[role="tab"]')];
const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

function choose(tab) {
  const list = tab.closest('[role="tablist"]');
  chosen.set(list, tab.id);
  for (const one of tabsOf(list)) {
    one.setAttribute("aria-selected", String(one === tab));
    one.tabIndex = one === tab ? 0 : -1;
    const panel = panelOf(one);
    if (panel) panel.hidden = one !== tab;
  }
}

/** Open every tab and folded section that this element lies in. */
export function reveal(element) {
  for (let at = element?.parentElement; at; at = at.parentElement) {
    if (at.matches('[role="tabpanel"][hidden]')) {
      const tab = document.getElementById(at.getAttribute("aria-labelledby"));
      if (tab) choose(tab);
    }
    if (at.matches("details:not([open])")) at.open = true;
  }
}

/* A form drawn anew keeps the tab that was chosen, or shows the first when a rule has taken that one away. */
function settle(form) {
  for (const list of form.querySelectorAll('[data-form-tabs] > [role="tablist"]')) {
    const tabs = tabsOf(list);
    const kept = tabs.find((tab) => tab.id === chosen.get(list)) ?? tabs.find((tab) => tab.getAttribute("aria-selected") === "true") ?? tabs[0];
    if (kept) choose(kept);
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
on("click", '.error-summary a[href^="#"]', (link) => reveal(document.getElementById(link.hash.slice(1))), true);
whenever(".tabs > [aria-current]", (tab) => tab.scrollIntoView({ block: "nearest", inline: "center" }));

/* The cursor goes to the first problem, wherever it is hidden; the summary is read out as an alert. */
function lead(summary) {
  const links = [...summary.querySelectorAll('a[href^="#"]')];
  const first = links.length && document.getElementById(links[0].hash.slice(1));
  if (!first) return;
  reveal(first);
  (first.tomselect?.control_input ?? first).focus();
}

whenever(".error-summary", (summary) => queueMicrotask(() => lead(summary)));
document.addEventListener("live", ({ target }) => settle(target));
document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("form:has([data-form-tabs])").forEach(settle);
  document.querySelectorAll(".error-summary").forEach(lead);
});
