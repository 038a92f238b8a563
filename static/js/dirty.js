/* Forms with something typed in them that has not been sent. */

const changed = new WeakSet();
const GUARDED = 'form[method="post"]:not([data-draft], [data-free], [hx-trigger])';

/** Whether leaving this part of the page would lose something. */
export function isDirty(root) {
  return [...root.querySelectorAll(GUARDED)].some((form) => changed.has(form));
}

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.form ?? event.target.closest?.("form");
    if (form && event.isTrusted) changed.add(form);
  });
}
document.addEventListener("htmx:after:request", ({ detail }) => {
  const form = detail.ctx.request.form;
  if (form && detail.ctx.response.status < 400) changed.delete(form);
});
