/* Asking the designer for an edit: the answer is the whole studio. */

export const studio = () => document.getElementById("studio");

/** Post an edit; `values` are its parts. */
export function edit(act, values) {
  const place = studio();
  return window.htmx.ajax("POST", `${place.dataset.studio}${act}`, { target: "#studio", swap: "outerMorph", values: { width: place.dataset.width ?? "", ...values } });
}
