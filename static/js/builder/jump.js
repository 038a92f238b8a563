/* A problem in the list leads to its input: the section opens, the input takes the focus. */

import { whenever } from "../dom.js";

whenever("#studio", () => {
  const url = new URL(location.href);
  const wanted = url.searchParams.get("at");
  if (wanted === null) return;
  url.searchParams.delete("at");
  history.replaceState(history.state, "", url);
  const options = [...document.querySelectorAll("[data-option]")];
  const found = longest(options, wanted) ?? document.querySelector("[data-panel] .wrong");
  if (!found) return;
  for (let outer = found.parentElement?.closest("details"); outer; outer = outer.parentElement?.closest("details")) outer.open = true;
  found.scrollIntoView({ block: "center" });
  found.querySelector("input:not([type=hidden]), select, textarea, button")?.focus({ preventScroll: true });
});

function longest(options, wanted) {
  const under = options.filter((one) => wanted && (wanted === one.dataset.option || wanted.startsWith(`${one.dataset.option}.`)));
  return under.sort((a, b) => b.dataset.option.length - a.dataset.option.length)[0];
}
