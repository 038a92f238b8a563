/* Requests of htmx and our own: the token, the loading mark, and what to say when they fail. */

import { say, token, workspace } from "./dom.js";
import { toast } from "./toast.js";

const SHOWN = [409, 422];
let running = 0;

/** Count a request that runs; the mark shows itself after 150 ms (by CSS). Call what it returns when done. */
export function busy() {
  const bar = document.getElementById("loading-bar");
  running += 1;
  bar?.classList.add("on");
  let done = false;
  return () => {
    if (done) return;
    done = true;
    running -= 1;
    if (running === 0) document.getElementById("loading-bar")?.classList.remove("on");
  };
}

/** Fetch a fragment as htmx would. Gives its text, or null after telling the person why not. */
export async function fragment(url, target, options = {}) {
  const done = busy();
  try {
    const answer = await fetch(url, {
      credentials: "same-origin",
      ...options,
      headers: { "HX-Request": "true", "X-Workspace": workspace(), "HX-Request-Type": "partial", "HX-Target": target, "HX-Current-URL": location.href, Accept: "text/html", ...options.headers },
    });
    const text = await answer.text();
    if (answer.headers.get("HX-Refresh")) {
      location.reload();
      return null;
    }
    if (answer.headers.get("HX-Redirect")) {
      location.href = answer.headers.get("HX-Redirect");
      return null;
    }
    if (answer.ok || (SHOWN.includes(answer.status) && !/^\s*<!doctype/i.test(text))) return text;
    explain(answer.status, text);
  } catch (error) {
    if (error?.name !== "AbortError") explain(0);
  } finally {
    done();
  }
  return null;
}

/** Put a fragment where it belongs and let htmx look at it. */
export function place(text, target, swap = "innerHTML") {
  return window.htmx.swap({ text, target, swap, sourceElement: target });
}

/** Say in a toast why a request failed. `status` 0 is no answer at all. */
export function explain(status, text = "") {
  if (status === 401) {
    toast(say("signed_out"), { kind: "error", action: { text: say("sign_in"), href: "/sign-in" } });
    return;
  }
  toast(reason(text) || general(status), { kind: "error" });
}

/** The sentence in an answer: a page's `[data-error]`, or problem details. */
function reason(text) {
  if (text.startsWith("{")) {
    try {
      const said = JSON.parse(text);
      return said.detail ?? said.message ?? said.title;
    } catch {
      return "";
    }
  }
  return new DOMParser().parseFromString(text, "text/html").querySelector("[data-error]")?.textContent.trim();
}

function general(status) {
  const known = { 0: "offline", 403: "not_allowed", 404: "not_found", 408: "timeout", 413: "too_large", 429: "too_often" };
  return say(known[status] ?? "failed");
}

const ends = new WeakMap();

document.addEventListener("htmx:config:request", ({ detail }) => {
  detail.ctx.request.headers["X-Workspace"] = workspace();
  if (detail.ctx.request.method !== "GET") detail.ctx.request.headers["X-CSRF-Token"] = token();
});
document.addEventListener("htmx:before:request", ({ detail }) => ends.set(detail.ctx, busy()));
document.addEventListener("htmx:finally:request", ({ detail }) => ends.get(detail.ctx)?.());
document.addEventListener("htmx:response:error", ({ detail }) => {
  const { ctx } = detail;
  const page = /^\s*<!doctype/i.test(ctx.text ?? "");
  if (page) ctx.swap = "none";
  if (page || !SHOWN.includes(ctx.response.status)) explain(ctx.response.status, ctx.text ?? "");
});
document.addEventListener("htmx:error", ({ detail }) => {
  if (detail.ctx && !detail.ctx.response) explain(detail.ctx.request.signal.aborted ? 408 : 0);
});
