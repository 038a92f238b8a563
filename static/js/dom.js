/* What every behaviour uses: delegated events, elements that arrive, words, requests. */

export const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
const SPRITE = new URL("../icons.svg", import.meta.url).pathname;
const SVG = "http://www.w3.org/2000/svg";

/** The sentence for a key of the page's word list, with `{name}` filled in. */
export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Act on an event of any element that matches, now or later on the page. */
export function on(event, selector, act, options) {
  document.addEventListener(event, (e) => {
    const found = e.target instanceof Element && e.target.closest(selector);
    if (found) act(found, e);
  }, options);
}

const arrivals = [];

/** Act once on every matching element, whenever it comes onto the page. */
export function whenever(selector, act) {
  const seen = new WeakSet();
  const once = (element) => {
    if (!seen.has(element)) {
      seen.add(element);
      act(element);
    }
  };
  arrivals.push((root) => {
    if (root.matches(selector)) once(root);
    root.querySelectorAll(selector).forEach(once);
  });
  document.querySelectorAll(selector).forEach(once);
}

new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) {
      if (node instanceof Element && node.isConnected) arrivals.forEach((look) => look(node));
    }
  }
}).observe(document.documentElement, { childList: true, subtree: true });

/** A new element: `make("a", {class: "chip", href: "/"}, "text", child)`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

export function icon(name, kind = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${kind}`.trim());
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/** The workspace that this page is of: another one may have been entered in another tab since. */
export function workspace() {
  return document.querySelector('meta[name="workspace"]')?.content ?? "";
}

export function token() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/** Send JSON or a form; the answer's JSON where it is JSON. Throws the Response when refused. */
export async function send(url, body, options = {}) {
  const form = body instanceof FormData;
  const answer = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    body: form || body === undefined ? body : JSON.stringify(body),
    headers: { "X-CSRF-Token": token(), Accept: "application/json", ...(form ? {} : { "Content-Type": "application/json" }) },
    ...options,
  });
  if (!answer.ok) throw answer;
  return answer.headers.get("Content-Type")?.includes("json") ? answer.json() : null;
}

export function later(act, milliseconds) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), milliseconds);
  };
}

/** A random id, also where the page is not served over https. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function remember(name, value) {
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax`;
}

/** Local storage that may be full or forbidden. */
export const store = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      /* the page works without */
    }
  },
  remove(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      /* the page works without */
    }
  },
};

export const isPhone = () => matchMedia("(max-width: 760px)").matches;
