/* Sizes and places known only at run time, applied through the CSSOM because the policy forbids inline styles. */

import { whenever } from "./dom.js";

/** Apply what the data attributes of this element say; call it again after changing them. */
export function settle(element) {
  const { width, height, left, top, percent, span, at } = element.dataset;
  if (width) element.style.width = `${Number(width)}px`;
  if (height) element.style.height = `${Number(height)}px`;
  if (left) element.style.left = `${Number(left)}px`;
  if (top) element.style.top = `${Number(top)}px`;
  if (percent) element.style.width = `${Math.max(0, Math.min(100, Number(percent)))}%`;
  if (span) element.style.gridColumn = `span ${Number(span)}`;
  if (at) {
    const [x, y, w, h] = at.split(",").map(Number);
    element.style.gridColumn = `${x + 1} / span ${w}`;
    element.style.gridRow = `${y + 1} / span ${h}`;
  }
}

whenever("[data-width], [data-height], [data-left], [data-top], [data-percent], [data-span], [data-at]", settle);
