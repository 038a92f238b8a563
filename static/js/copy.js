/* Copying: `data-copy` holds the text, or `#id` of what holds it. */

import { on, say, send } from "./dom.js";
import { explain } from "./requests.js";
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

/* A link to a form that begins with what is filled in now. */
on("click", "[data-link-of]", async (button) => {
  const form = document.getElementById(button.dataset.linkOf);
  const data = new FormData(form);
  if (button.dataset.lock) data.set("_lock", "1");
  try {
    const { url } = await send(form.getAttribute("action").replace(/new$/, "link"), data);
    await write(url);
    toast(say("link_copied"), { kind: "good" });
  } catch (refused) {
    explain(refused.status ?? 0, refused.text ? await refused.text() : "");
  }
});
