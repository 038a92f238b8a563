/* Copying: `data-copy` holds the text, or `#id` of what holds it. */

import { on, say } from "./dom.js";
import { toast } from "./toast.js";

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "sr-only" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

on("click", "[data-copy]", async (button) => {
  const wanted = button.dataset.copy;
  const source = wanted.startsWith("#") ? document.querySelector(wanted) : null;
  await write(source ? (source.value ?? source.textContent) : wanted);
  toast(say("copied"));
});
