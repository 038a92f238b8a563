/* How many tasks and notices wait, in every open tab: one tab keeps a line to the server, and tells the others. */

import { say, workspace } from "./dom.js";

const POLL = 30000;
const channel = new BroadcastChannel(`mortise-counts-${workspace()}`);
let shown = "";

function show(counts) {
  const told = JSON.stringify(counts);
  if (told === shown) return;
  for (const [name, count] of Object.entries(counts)) {
    const link = document.querySelector(`[data-count="${name}"]`);
    if (!link) continue;
    link.querySelector(".badge")?.remove();
    if (count) {
      const badge = document.createElement("span");
      badge.className = "badge alert";
      badge.ariaHidden = "true";
      badge.textContent = count < 100 ? count : "99+";
      link.append(badge);
    }
    link.setAttribute("aria-label", count ? say(`count_${name}`, { count }) : link.title);
  }
  if (shown) renew();
  shown = told;
}

/** The list on this page, unless somebody is about to use it. */
function renew() {
  const list = document.querySelector("[data-live-list]");
  if (!list || list.contains(document.activeElement) || list.querySelector("input:checked, details[open]")) return;
  window.htmx.ajax("GET", location.href, { target: `#${list.id}`, swap: "outerMorph" });
}

function listen() {
  const line = new EventSource("/notices/live");
  line.onmessage = (event) => {
    const counts = JSON.parse(event.data);
    channel.postMessage(counts);
    show(counts);
  };
  line.onerror = () => {
    if (line.readyState === EventSource.CLOSED) setTimeout(listen, POLL);
  };
}

async function ask() {
  if (document.hidden) return;
  const answer = await fetch("/notices/counts", { headers: { "X-Workspace": workspace() } }).catch(() => null);
  if (answer?.ok && !answer.redirected) show(await answer.json());
}

channel.onmessage = (event) => show(event.data);
if (navigator.locks) navigator.locks.request(`mortise-counts-${workspace()}`, () => new Promise(listen));
else setInterval(ask, POLL);
