/* Filling in from a text or a picture: both go to the server with the form as it stands, and the answer fills the fields. */

import { fillFrom } from "./live.js";

function named(box) {
  const [picture] = box.querySelector("[data-quick-picture]").files;
  const name = box.querySelector("[data-quick-name]");
  name.textContent = picture?.name ?? name.dataset.empty;
}

async function fill(button) {
  const box = button.closest("[data-quick]");
  const [picture] = box.querySelector("[data-quick-picture]").files;
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  await fillFrom(button.form, { text: box.querySelector("[data-quick-text]").value, picture });
  button.removeAttribute("aria-busy");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-quick-go]");
  if (button) fill(button);
});
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-quick-picture]")) named(event.target.closest("[data-quick]"));
});
document.addEventListener("paste", (event) => {
  const box = event.target.closest?.("[data-quick]");
  const picture = box && [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
  if (!picture) return;
  event.preventDefault();
  const chosen = new DataTransfer();
  chosen.items.add(picture);
  box.querySelector("[data-quick-picture]").files = chosen.files;
  named(box);
});
