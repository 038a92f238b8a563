/* Proof of work for public pages: while the page is read, find a number that, written after the page's ticket, gives a
   SHA-256 beginning with so many zero bits. No other service, no puzzle for people. Plain arithmetic, because browsers
   keep their own digest for pages over TLS. */

import { whenever } from "../dom.js";

const K = new Uint32Array(64);
const START = new Uint32Array(8);

/* The constants of SHA-256: fractional parts of roots of the first primes. */
function constants() {
  const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
  for (let n = 2, found = 0; found < 64; n += 1) {
    if ([...Array(Math.floor(Math.sqrt(n)) + 1).keys()].slice(2).some((d) => n % d === 0)) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(n));
    K[found] = fraction(Math.cbrt(n));
    found += 1;
  }
}
constants();

const W = new Uint32Array(64);
const turn = (x, n) => (x >>> n) | (x << (32 - n));

/** The first word of the SHA-256 of a text of ASCII characters. */
export function head(text) {
  const blocks = Math.ceil((text.length + 9) / 64);
  const words = new Uint32Array(blocks * 16);
  for (let i = 0; i < text.length; i += 1) words[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
  words[text.length >> 2] |= 0x80 << (24 - (text.length & 3) * 8);
  words[words.length - 1] = text.length * 8;
  const state = START.slice();
  for (let block = 0; block < blocks; block += 1) round(state, words, block * 16);
  return state[0];
}

function round(state, words, from) {
  for (let i = 0; i < 64; i += 1) {
    if (i < 16) W[i] = words[from + i];
    else {
      const a = W[i - 15];
      const b = W[i - 2];
      W[i] = (W[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + W[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10))) | 0;
    }
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] + value) | 0;
}

const found = new Map();
const SLICE = 12;

/** The number for a ticket; worked out in slices, so that the page stays quick. */
function prove(ticket, bits) {
  if (!found.has(ticket)) found.set(ticket, search(ticket, bits));
  return found.get(ticket);
}

async function search(ticket, bits) {
  for (let number = 0; ; ) {
    const until = performance.now() + SLICE;
    while (performance.now() < until) {
      for (let i = 0; i < 50; i += 1, number += 1) if (head(`${ticket}:${number}`) >>> (32 - bits) === 0) return { ticket, number };
    }
    await new Promise((go) => setTimeout(go));
  }
}

const ticketOf = (form) => form.querySelector("input[name=csrf_token]").value;
const proofs = new Map();

async function begin(form) {
  const { ticket, number } = await prove(ticketOf(form), Number(form.dataset.proof));
  proofs.set(ticket, number);
}

whenever("form[data-proof]", () => document.querySelectorAll("form[data-proof]").forEach(begin));

document.addEventListener("formdata", ({ target, formData }) => {
  if (target.matches("form[data-proof]")) formData.set("_proof", String(proofs.get(ticketOf(target)) ?? ""));
});

/* Who sends before the work is done waits for the rest of it. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-proof]") || proofs.has(ticketOf(form))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const button = event.submitter;
  if (button) button.ariaBusy = "true";
  begin(form).then(() => {
    if (button) button.ariaBusy = null;
    form.requestSubmit(button);
  });
}, true);
