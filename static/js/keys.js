/* Keys of a form that is filled in: Ctrl or Cmd with Enter sends it, with S keeps it as a draft. */

const formOf = (place) => place.closest?.("form[data-live]") ?? document.querySelector("dialog[open] form[data-live], form[data-live]");

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.isComposing) return;
  const form = ["Enter", "s"].includes(event.key) ? formOf(event.target) : null;
  if (!form) return;
  const button = form.querySelector(event.key === "s" ? "[data-draft-save]" : ".form-actions button.primary[type=submit]");
  if (!button) return;
  event.preventDefault();
  event.target.blur?.();
  event.key === "s" ? button.click() : form.requestSubmit(button);
});
