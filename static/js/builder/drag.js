/* Dragging on the canvas: fields from the palette, fields and sections on the form. The page itself stays as it is
   until the server has answered; a mark shows where what is dragged would go. */

import { make } from "../dom.js";
import { edit } from "./studio.js";

const SLACK = 5;
const HOLD = 300;
const EDGE = 48;
const SIDEWAYS = 0.25;

let drag = null;

const canvas = () => document.querySelector("[data-canvas]");

document.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || !event.isPrimary || event.target.closest(".field-tools, [data-panel]")) return;
  const source = event.target.closest("[data-drag]");
  if (!source || !canvas()) return;
  drag = { source, what: source.dataset.drag, x: event.clientX, y: event.clientY, id: event.pointerId, touch: event.pointerType === "touch", on: false };
  if (drag.touch) drag.timer = setTimeout(() => drag && begin(), HOLD);
});

document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > SLACK;
  if (!drag.on && far) {
    if (drag.touch) return stop();
    begin();
  }
  if (drag?.on) {
    drag.at = [event.clientX, event.clientY];
    follow();
  }
});

document.addEventListener("pointerup", () => {
  if (!drag) return;
  const { on, what, place } = drag;
  stop();
  if (!on) return;
  swallowClick();
  if (place) send(what, place);
});
document.addEventListener("pointercancel", stop);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && drag?.on) {
    event.preventDefault();
    stop();
    swallowClick();
  }
}, true);
document.addEventListener("touchmove", (event) => drag?.on && event.preventDefault(), { passive: false });
document.addEventListener("dragstart", (event) => event.target.closest("[data-drag]") && event.preventDefault());
document.addEventListener("contextmenu", (event) => drag?.touch && event.preventDefault());

function begin() {
  const text = drag.source.querySelector(".label, .strong, span")?.textContent.trim() || drag.source.textContent.trim();
  drag.on = true;
  drag.at = [drag.x, drag.y];
  drag.ghost = make("div", { class: "drag-ghost", "aria-hidden": "true" }, text.slice(0, 40));
  drag.mark = make("div", { class: "drop-line", "aria-hidden": "true", hidden: true });
  document.body.append(drag.ghost, drag.mark);
  document.documentElement.classList.add("dragging-field");
  drag.source.classList.add("being-dragged");
  getSelection()?.removeAllRanges();
  drag.scroll = setInterval(scroll, 16);
  follow();
}

function stop() {
  if (!drag) return;
  clearTimeout(drag.timer);
  clearInterval(drag.scroll);
  drag.ghost?.remove();
  drag.mark?.remove();
  drag.source.classList.remove("being-dragged");
  document.documentElement.classList.remove("dragging-field");
  drag = null;
}

/* The click that ends a drag must not choose what is under it. */
function swallowClick() {
  const swallow = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => document.removeEventListener("click", swallow, { capture: true }), 0);
}

function scroll() {
  const pane = canvas().closest(".pane, .studio-frame");
  const scroller = pane.scrollHeight > pane.clientHeight ? pane : pane.closest(".studio-frame");
  const { top, bottom } = scroller.getBoundingClientRect();
  const y = drag.at[1];
  const by = y < top + EDGE ? y - top - EDGE : y > bottom - EDGE ? y - bottom + EDGE : 0;
  if (by) {
    scroller.scrollBy(0, by / 4);
    follow();
  }
}

function follow() {
  const [x, y] = drag.at;
  drag.ghost.style.transform = `translate(${x + 12}px, ${y + 10}px)`;
  drag.place = placeAt(x, y);
  show(drag.place);
}

/* Where something let go here would land: a target, a side of it, and the line that shows it. */
function placeAt(x, y) {
  const sheet = canvas();
  const area = sheet.closest(".pane").getBoundingClientRect();
  if (x < area.left || x > area.right || y < area.top || y > area.bottom) return null;
  const block = drag.what.startsWith("block:") || /^new:(section|tabs|divider|note)$/.test(drag.what);
  const under = document.elementsFromPoint(x, y).find((one) => one.closest("[data-canvas]"));
  const empty = under?.closest("[data-drop-into]");
  if (empty && !block) return { target: empty.dataset.dropInto, side: "into", box: empty.getBoundingClientRect() };
  const field = under?.closest(".canvas-field[data-drag]");
  if (field) return beside(field, x, y, block);
  return nearest(sheet, y, block);
}

function beside(field, x, y, block) {
  const box = field.getBoundingClientRect();
  if (!block && field.dataset.drag.startsWith("field:")) {
    const across = (x - box.left) / box.width;
    if (across < SIDEWAYS) return { target: field.dataset.drag, side: "left", box };
    if (across > 1 - SIDEWAYS) return { target: field.dataset.drag, side: "right", box };
  }
  const line = field.closest(".canvas-row")?.getBoundingClientRect() ?? box;
  return { target: field.dataset.drag, side: y < box.top + box.height / 2 ? "before" : "after", box: line };
}

/* Between the lines, on a section's head, or below everything. */
function nearest(sheet, y, block) {
  const head = [...sheet.querySelectorAll(".canvas-block-head")].find((one) => within(one, y));
  if (head) {
    const section = head.closest("[data-drag]");
    const box = head.getBoundingClientRect();
    const upper = block ? y < box.top + box.height / 2 : y < box.top + box.height / 3;
    if (upper) return { target: section.dataset.drag, side: "before", box };
    const first = section.querySelector(".canvas-row .canvas-field");
    if (block) return { target: section.dataset.drag, side: "after", box: section.getBoundingClientRect() };
    return first ? { target: first.dataset.drag, side: "before", box: first.closest(".canvas-row").getBoundingClientRect() } : { target: section.dataset.drag, side: "into", box };
  }
  const all = [...sheet.querySelectorAll(".canvas-field[data-drag], .canvas-section[data-drag]")].filter((one) => !one.classList.contains("being-dragged"));
  const above = all.filter((one) => one.getBoundingClientRect().bottom <= y + 2);
  const last = above.reduce((best, one) => (!best || one.getBoundingClientRect().bottom >= best.getBoundingClientRect().bottom ? one : best), null);
  if (last) return { target: last.dataset.drag, side: "after", box: (last.closest(".canvas-row") ?? last).getBoundingClientRect() };
  return all.length ? { target: all[0].dataset.drag, side: "before", box: all[0].getBoundingClientRect() } : { target: "", side: "after", box: sheet.getBoundingClientRect() };
}

const within = (element, y) => {
  const box = element.getBoundingClientRect();
  return y >= box.top && y <= box.bottom;
};

function show(place) {
  const { mark } = drag;
  mark.hidden = !place;
  if (!place) return;
  const { box, side } = place;
  mark.classList.toggle("into", side === "into");
  const edges = {
    before: [box.left, box.top - 3, box.width, 4], after: [box.left, box.bottom - 1, box.width, 4],
    left: [box.left - 2, box.top, 4, box.height], right: [box.right - 2, box.top, 4, box.height], into: [box.left, box.top, box.width, box.height],
  }[side];
  ["left", "top", "width", "height"].forEach((name, n) => (mark.style[name] = `${edges[n]}px`));
}

function send(what, { target, side }) {
  if (what === target) return;
  if (what.startsWith("new:")) edit("add", { type: what.slice(4), target, side });
  else edit("move", { what, target, side });
}
