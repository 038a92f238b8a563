/* The watermark is put above a dialog each time one opens: what is shown last lies on top. */

function above() {
  const veil = document.getElementById("watermark");
  if (!veil?.showPopover) return;
  if (veil.matches(":popover-open")) veil.hidePopover();
  veil.showPopover();
}

const opened = (change) => change.target.nodeName === "DIALOG" && change.target.open;
const watch = new MutationObserver((changes) => changes.some(opened) && above());
watch.observe(document.body, { subtree: true, attributes: true, attributeFilter: ["open"] });
above();
