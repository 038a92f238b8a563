/* A list on a phone: what stands in a card's lines is named by the columns' heads; the table itself one touch away. */

import { isPhone, on, remember, whenever } from "./dom.js";

whenever("table.grid[data-columns]", (grid) => {
  if (!isPhone()) return;
  const labels = [...grid.tHead.rows[0].cells].map((th) => th.textContent.trim());
  for (const row of [...grid.tBodies[0].rows, ...(grid.tFoot?.rows ?? [])]) {
    [...row.cells].forEach((cell, n) => {
      cell.dataset.label = labels[n];
      cell.classList.toggle("blank", !cell.textContent.trim() && !cell.querySelector("img, svg, input"));
    });
  }
});
on("click", "[data-lists-shape]", (button) => {
  const shape = document.documentElement.dataset.lists === "table" ? "cards" : "table";
  document.documentElement.dataset.lists = shape;
  remember("lists", shape);
  button.setAttribute("aria-pressed", String(shape === "table"));
});
