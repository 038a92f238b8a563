/* Gantt: a bar is dragged as a whole or by one of its ends; the grip beside it moves it by arrow keys. */

import { on, say, send } from "./dom.js";
import { explain } from "./requests.js";
import { toast } from "./toast.js";

const EDGE = 8; // pixels at either end of a bar by which that end alone is taken
let held = null;

function hold(bar, event) {
  const table = bar.closest("[data-move]");
  if (!table || event.button) return;
  const whole = bar.querySelector(".whole");
  const box = whole.getBoundingClientRect();
  const day = bar.ownerSVGElement.getBoundingClientRect().width / Number(table.dataset.days);
  const wide = box.width > 3 * EDGE;
  const edge = wide && event.clientX < box.left + EDGE ? "start" : wide && event.clientX > box.right - EDGE ? "end" : "";
  held = { bar, whole, day, edge, from: event.clientX, days: 0, x: Number(whole.getAttribute("x")), width: Number(whole.getAttribute("width")) };
  bar.setPointerCapture(event.pointerId);
  event.preventDefault();
}

function draw({ bar, whole, edge, x, width }, days) {
  const part = bar.querySelector(".part");
  const [left, long] = edge === "start" ? [x + days, width - days] : edge === "end" ? [x, width + days] : [x + days, width];
  whole.setAttribute("x", left);
  whole.setAttribute("width", Math.max(long, 0.2));
  part?.setAttribute("x", left);
}

async function move(bar, days, edge, back) {
  const table = bar.closest("[data-move]");
  try {
    await send(table.dataset.move, { key: bar.dataset.key, days, edge });
    document.dispatchEvent(new CustomEvent("records-changed", { detail: { key: bar.dataset.key } }));
  } catch (refused) {
    back();
    explain(refused.status ?? 0, (await refused.text?.()) ?? "");
  }
}

on("pointerdown", "[data-move] .bar", hold);
document.addEventListener("pointermove", (event) => {
  if (!held) return;
  held.days = Math.round((event.clientX - held.from) / held.day);
  draw(held, held.days);
});
document.addEventListener("pointerup", () => {
  if (!held) return;
  const { bar, days, edge } = held;
  const before = held;
  held = null;
  if (days) move(bar, days, edge, () => draw(before, 0));
});
document.addEventListener("pointercancel", () => {
  if (held) draw(held, 0);
  held = null;
});

on("keydown", ".gantt-grip", (grip, event) => {
  const days = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const bar = grip.closest("tr").querySelector(".bar");
  if (!days || !bar) return;
  event.preventDefault();
  toast(say("moved_days", { days: days > 0 ? "+1" : "−1" }), { kind: "info" });
  move(bar, days, event.shiftKey ? "end" : "", () => {});
});
