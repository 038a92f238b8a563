/* Sorting by dragging and by Alt + arrows; the new order is posted. */

import { on, say, send, whenever } from "./dom.js";
import { explain } from "./requests.js";
import { toast } from "./toast.js";

/** Make the children of this element sortable; the library is fetched when first needed. */
export async function sortable(list, options = {}) {
  await import("../vendor/sortable.min.js");
  const handle = list.querySelector("[data-sort-handle]") ? "[data-sort-handle]" : undefined;
  return new window.Sortable(list, { animation: 140, delay: 120, delayOnTouchOnly: true, handle, ...options });
}

const keys = (list) => [...list.children].filter((item) => item.dataset.key).map((item) => item.dataset.key);

/* Tell the server; where it refuses, the item goes back. */
async function report(item, from, to, back) {
  const body = { key: item.dataset.key, from: from.dataset.list ?? "", to: to.dataset.list ?? "", position: keys(to).indexOf(item.dataset.key), order: keys(to) };
  const event = new CustomEvent("sorted", { bubbles: true, cancelable: true, detail: { ...body, item } });
  if (!to.dispatchEvent(event) || !to.dataset.sortable) return;
  if (to.dataset.swap) {
    const text = new FormData();
    const counter = to.closest("[data-counter]")?.dataset.counter;
    if (counter) text.append("counter", counter);
    Object.entries(body).forEach(([name, value]) => text.append(name, Array.isArray(value) ? JSON.stringify(value) : value));
    window.htmx.ajax("POST", to.dataset.sortable, { target: to.dataset.swap, swap: "outerMorph", values: Object.fromEntries(text) });
    return;
  }
  try {
    await send(to.dataset.sortable, body);
    document.dispatchEvent(new CustomEvent("records-changed", { detail: body }));
  } catch (refused) {
    back();
    explain(refused.status ?? 0, (await refused.text?.()) ?? "");
  }
}

whenever("[data-sortable]", (list) => {
  let away = null;
  const closed = "sortClosed" in list.dataset;
  sortable(list, {
    group: list.dataset.sortGroup ? { name: list.dataset.sortGroup, put: !closed } : undefined,
    sort: !closed,
    filter: "[data-fixed]",
    draggable: "[data-key]",
    onStart: ({ item }) => (away = { parent: item.parentNode, next: item.nextSibling }),
    onEnd: ({ item, from, to, oldIndex, newIndex }) => {
      const { parent, next } = away;
      if (from !== to || oldIndex !== newIndex) report(item, from, to, () => parent.insertBefore(item, next));
    },
  });
});

on("keydown", "[data-sortable] [data-key]", (item, event) => {
  if (!event.altKey || !/^Arrow/.test(event.key) || item.matches("[data-fixed]")) return;
  const from = item.parentNode;
  const [parent, next] = [from, item.nextSibling];
  const across = item.closest("[data-tree]") ? moveInTree : moveAcross;
  const moved = event.key === "ArrowUp" ? moveWithin(item, -1) : event.key === "ArrowDown" ? moveWithin(item, 1) : across(item, event.key === "ArrowLeft" ? -1 : 1);
  if (!moved) return;
  event.preventDefault();
  const focus = item.matches("a, button, [tabindex]") ? item : item.querySelector("a, button, [tabindex]");
  focus?.focus();
  const all = keys(item.parentNode);
  toast(say("moved", { place: all.indexOf(item.dataset.key) + 1, count: all.length }), { kind: "info" });
  report(item, from, item.parentNode, () => parent.insertBefore(item, next));
});

function moveWithin(item, by) {
  if ("sortClosed" in item.parentNode.dataset) return false;
  const beside = by < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!beside?.dataset.key) return false;
  by < 0 ? beside.before(item) : beside.after(item);
  return true;
}

/* In a tree: to the right under the one above, to the left out again, behind the one it lay in. */
function moveInTree(item, by) {
  if (by > 0) {
    const list = item.previousElementSibling?.querySelector(":scope > [data-sortable]");
    list?.append(item);
    return Boolean(list);
  }
  const holder = item.parentNode.closest("[data-key]");
  holder?.after(item);
  return Boolean(holder);
}

function moveAcross(item, by) {
  const group = item.parentNode.dataset.sortGroup;
  if (!group) return false;
  const lists = [...document.querySelectorAll(`[data-sortable][data-sort-group="${CSS.escape(group)}"]`)];
  const open = lists.filter((list) => list === item.parentNode || !("sortClosed" in list.dataset));
  const next = open[open.indexOf(item.parentNode) + by];
  next?.prepend(item);
  return Boolean(next);
}
