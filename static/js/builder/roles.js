/* The condition of a role, tried while it is typed: of whom it is true, or what is wrong with it. */

import { on, token } from "../dom.js";

const waiting = new WeakMap();

on("input", "[data-role-formula]", (input) => {
  clearTimeout(waiting.get(input));
  waiting.set(input, setTimeout(() => judge(input), 350));
});

async function judge(input) {
  const place = document.getElementById(input.getAttribute("aria-describedby"));
  const formula = input.value.trim();
  place.dataset.hint ??= place.textContent;
  if (!formula) {
    place.textContent = place.dataset.hint;
    place.classList.remove("error");
    return;
  }
  const body = new URLSearchParams({ formula });
  const answer = await fetch("/members/roles/try", { method: "POST", body, headers: { "X-CSRF-Token": token() }, credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok || input.value.trim() !== formula) return;
  const said = await answer.json();
  place.textContent = said.text;
  place.classList.toggle("error", said.wrong);
}
