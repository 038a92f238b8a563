/* What morphing must leave alone: what scripts and people have opened, sized and chosen. */

import { isRestoring } from "./live.js";

const OURS = new Set(["style", "data-touched", "data-typed", "data-waiting", "data-draft-saved", "aria-busy"]);

window.htmx.registerExtension("mortise", {
  htmx_before_morph_attr(element, { attrName }) {
    const labels = attrName === "for" && element.htmlFor?.endsWith("-ts-control");
    const tab = (element.matches('[data-form-tabs] > [role="tablist"] > [role="tab"]') && ["aria-selected", "tabindex"].includes(attrName)) || (attrName === "hidden" && element.matches('[data-form-tabs] > [role="tabpanel"]'));
    return !(labels || tab || OURS.has(attrName) || (attrName === "open" && element.matches("details, dialog")) || (attrName === "disabled" && element.ariaBusy === "true"));
  },
  htmx_before_morph_node(element, { oldNode, newNode }) {
    if (oldNode.matches?.("template")) return copied(oldNode, newNode);
    if (oldNode.matches?.("[data-rich]") && oldNode.querySelector(".ql-container")) {
      oldNode.dispatchEvent(new CustomEvent("rich:same", { detail: newNode }));
      return false;
    }
    if (oldNode.matches?.(".picker") && oldNode.querySelector(".ts-wrapper")) {
      oldNode.dispatchEvent(new CustomEvent("picker:same", { detail: newNode, bubbles: true }));
      return false;
    }
    if (oldNode.matches?.(".upload, .signature")) return isRestoring(oldNode.closest("form"));
    if (oldNode.matches?.("input[type=checkbox], input[type=radio]")) return follow(oldNode, newNode);
    if (oldNode.matches?.("select")) return chosen(oldNode, newNode);
    return true;
  },
});

/* What a template holds is not among its children. */
function copied(template, next) {
  template.innerHTML = next.innerHTML;
  return false;
}

/* Attributes say how a box began; once touched, only the property counts. */
function follow(box, next) {
  if (box !== document.activeElement) box.checked = next.hasAttribute("checked");
  return true;
}

function chosen(select, next) {
  const value = next.value;
  queueMicrotask(() => {
    if (select.isConnected && select !== document.activeElement && !select.multiple) select.value = value;
  });
  return true;
}
