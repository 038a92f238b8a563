/* A board, a calendar or a time line is drawn again when a record on it was moved: counts, places and what follows. */

document.addEventListener("records-changed", () => {
  if (document.getElementById("look")) window.htmx.ajax("GET", location.href, { target: "#look", select: "#look", swap: "outerMorph" });
});
