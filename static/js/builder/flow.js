/* The chart of a flow: a plus opens the kinds of steps, a card is dragged to another plus, Alt + arrows move it, Delete
   takes it away, Ctrl+D copies it, arrows go from card to card, Insert adds a step behind it. */

import { on, store } from "../dom.js";

const frame = () => document.querySelector("[data-flow]");
const cards = () => [...document.querySelectorAll("[data-flow] [data-step]")];
let wanted = "";
let held = null;

function act(verb, values) {
  return window.htmx.ajax("POST", `${frame().dataset.flow}${verb}`, { target: "#studio", swap: "outerMorph", values: { counter: frame().dataset.counter, ...values } });
}

/* -- adding ------------------------------------------------------------------------------------- */

document.addEventListener("click", (event) => {
  const plus = event.target.closest?.("[data-spot] [popovertarget]");
  if (!plus) return;
  document.querySelectorAll("[data-opener]").forEach((one) => one.removeAttribute("data-opener"));
  plus.dataset.opener = "";
  document.getElementById(plus.getAttribute("popovertarget")).elements.at.value = plus.closest("[data-spot]").dataset.spot;
}, true);

/* -- by keyboard -------------------------------------------------------------------------------- */

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

on("keydown", "[data-flow] [data-step]", (card, event) => {
  const id = card.dataset.step;
  const by = STEPS[event.key];
  const step = "stepDrag" in card.dataset;
  if (event.altKey && by && (step || id.includes("."))) {
    event.preventDefault();
    wanted = card.id;
    act("move", { id, by: by < 0 ? "up" : "down" });
  } else if (by && !event.altKey) {
    event.preventDefault();
    cards()[cards().indexOf(card) + by]?.focus();
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    const next = cards()[cards().indexOf(card) + 1] ?? cards()[0];
    wanted = next.id;
    act("delete", { id });
  } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "d" && step) {
    event.preventDefault();
    act("copy", { id });
  } else if (event.key === "Insert" || event.key === "+") {
    event.preventDefault();
    spotAfter(card)?.querySelector("[popovertarget]").click();
  }
});

/* The next plus behind a card that is not inside its branches. */
function spotAfter(card) {
  for (let next = card.nextElementSibling; next; next = next.nextElementSibling) if (next.matches("[data-spot]")) return next;
  return card.closest(".trigger-cards")?.nextElementSibling ?? null;
}

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || !frame()) return;
  if (event.target.matches("input:not([type=checkbox], [type=radio]), textarea, [contenteditable]")) return;
  const key = event.key.toLowerCase();
  const verb = key === "z" && !event.shiftKey ? "undo" : key === "y" || (key === "z" && event.shiftKey) ? "redo" : "";
  if (!verb) return;
  event.preventDefault();
  act(verb, { chosen: frame().dataset.chosen });
});

/* -- by mouse ----------------------------------------------------------------------------------- */

on("pointerdown", "[data-step-drag]", (card, event) => {
  if (event.button || event.pointerType === "touch") return;
  held = { card, x: event.clientX, y: event.clientY, moved: false, spot: null };
});

document.addEventListener("pointermove", (event) => {
  if (!held) return;
  if (!held.moved && Math.hypot(event.clientX - held.x, event.clientY - held.y) < 6) return;
  if (!held.moved) begin();
  held.ghost.style.transform = `translate(${event.clientX + 8}px, ${event.clientY + 8}px)`;
  mark(nearest(event.clientX, event.clientY));
});

document.addEventListener("pointerup", () => {
  if (!held) return;
  const { card, moved, spot } = held;
  finish();
  if (!moved) return;
  document.addEventListener("click", (event) => event.target.closest("[data-step]") && (event.preventDefault(), event.stopPropagation()), { capture: true, once: true });
  if (!spot) return;
  wanted = card.id;
  act("move", { id: card.dataset.step, at: spot.dataset.spot });
});
document.addEventListener("pointercancel", finish);
document.addEventListener("keydown", (event) => event.key === "Escape" && held && finish());
document.addEventListener("dragstart", (event) => event.target.closest?.("[data-step]") && event.preventDefault());

function begin() {
  held.moved = true;
  held.card.classList.add("being-dragged");
  held.ghost = Object.assign(document.createElement("div"), { className: "drag-ghost", textContent: held.card.querySelector(".step-head").textContent.trim() });
  document.body.append(held.ghost);
  document.body.classList.add("dragging-field");
}

function finish() {
  if (!held) return;
  mark(null);
  held.card.classList.remove("being-dragged");
  held.ghost?.remove();
  document.body.classList.remove("dragging-field");
  held = null;
}

/* The plus nearest to the pointer, unless it is inside what is dragged. */
function nearest(x, y) {
  const own = held.card.nextElementSibling?.matches(".step-fork") ? held.card.nextElementSibling : null;
  let best = null;
  for (const spot of document.querySelectorAll("[data-flow] [data-spot]")) {
    const box = spot.getBoundingClientRect();
    const far = Math.hypot(x - (box.left + box.width / 2), y - (box.top + box.height / 2));
    if (box.height && !own?.contains(spot) && far < (best?.far ?? 140)) best = { spot, far };
  }
  return best?.spot ?? null;
}

function mark(spot) {
  held.spot?.classList.remove("wanted");
  held.spot = spot;
  spot?.classList.add("wanted");
}

/* -- seeing it ---------------------------------------------------------------------------------- */

const SIZES = [40, 50, 60, 70, 80, 90, 100, 115, 130];
let size = Number(store.get("flow-zoom")) || 100;

function zoom(to) {
  size = to;
  store.set("flow-zoom", String(to));
  const chart = document.querySelector("[data-zoom]");
  if (chart) chart.style.zoom = to / 100;
}

on("click", "[data-zoom-by]", (button) => {
  const by = Number(button.dataset.zoomBy);
  if (by) return zoom(SIZES[Math.max(0, Math.min(SIZES.length - 1, SIZES.indexOf(size) + by))]);
  const chart = document.querySelector("[data-zoom]");
  chart.style.zoom = 1;
  const pane = chart.closest("[data-flow-pane]");
  const fits = Math.min(1, pane.clientWidth / chart.scrollWidth, pane.clientHeight / chart.scrollHeight) * 100;
  zoom(SIZES.filter((one) => one <= Math.max(fits, SIZES[0])).at(-1));
});
if (frame()) zoom(size);

document.addEventListener("htmx:after:settle", () => {
  if (!frame()) return;
  zoom(size);
  const card = wanted && document.getElementById(wanted);
  wanted = "";
  card?.focus({ preventScroll: true });
  (card || document.querySelector("[data-flow] [data-step][aria-current]"))?.scrollIntoView({ block: "nearest", inline: "nearest" });
});
