/* A signature: drawn by hand, finger or pen in a dialog, or a typed name; kept as a PNG without its margins. */

import { icon, make, say, send, whenever } from "./dom.js";
import { toast } from "./toast.js";
import SignaturePad from "../vendor/signature_pad.min.js";

const SHARPNESS = 3;
const MARGIN = 8;

function start(field) {
  field.addEventListener("click", (event) => {
    if (event.target.closest("[data-sign]")) ask(field);
    if (event.target.closest("[data-sign-remove]")) put(field, null);
  });
}

function ask(field) {
  const canvas = make("canvas", { class: "signature-canvas", role: "img", "aria-label": say("sign_here") });
  const name = "typed" in field.dataset ? make("input", { class: "input", type: "text", maxlength: 40, autocomplete: "name", "aria-label": say("sign_typed"), placeholder: say("sign_typed") }) : null;
  const box = make("dialog", { class: "dialog signature-dialog", "aria-label": say("sign_here") });
  const tool = (word, drawing, act) => {
    const button = make("button", { type: "button", class: "icon-button", title: say(word), "aria-label": say(word) }, icon(drawing));
    button.addEventListener("click", act);
    return button;
  };
  let pad = null;
  const undone = [];
  const redraw = (strokes) => pad.fromData(strokes);
  const undo = () => {
    const strokes = pad.toData();
    if (strokes.length) undone.push(strokes.pop());
    redraw(strokes);
  };
  const redo = () => undone.length && redraw([...pad.toData(), undone.pop()]);
  const clear = () => {
    undone.length = 0;
    pad.clear();
    if (name) name.value = "";
  };
  const done = make("button", { type: "button", class: "button primary" }, say("sign_done"));
  done.addEventListener("click", () => finish(field, box, pad, name, done));
  box.append(
    make("header", { class: "dialog-head" }, make("h2", {}, say("sign_here")), tool("close", "close", () => box.close())),
    make("div", { class: "dialog-body" }, canvas, name ?? ""),
    make("div", { class: "dialog-foot" }, tool("undo", "undo", undo), tool("redo", "redo", redo), tool("clear", "erase", clear), make("span", { class: "grow" }), ...again(field, box), done),
  );
  document.body.append(box);
  box.showModal();
  pad = new SignaturePad(canvas, { minWidth: 0.8, maxWidth: 2.8, penColor: "#10131a" });
  pad.addEventListener("endStroke", () => (undone.length = 0));
  const fitted = () => fit(canvas, pad);
  fitted();
  addEventListener("resize", fitted);
  box.addEventListener("close", () => {
    removeEventListener("resize", fitted);
    box.remove();
    field.querySelector("[data-sign]").focus();
  });
  name?.addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && done.click());
}

/* The button that signs as one did the last time, where the field lets one. */
function again(field, box) {
  if (!("reuse" in field.dataset)) return [];
  const button = make("button", { type: "button", class: "button" }, say("sign_last"));
  button.addEventListener("click", async () => {
    const data = new FormData();
    data.append("last", "1");
    button.disabled = true;
    try {
      put(field, await send(field.dataset.upload, data));
      box.close();
    } catch {
      toast(say("sign_none"), { kind: "error" });
    }
  });
  return [button];
}

/* As many points as the screen can show, times some more for paper; what was drawn stays. */
function fit(canvas, pad) {
  const strokes = pad.toData();
  const ratio = Math.max(devicePixelRatio || 1, SHARPNESS);
  canvas.width = canvas.offsetWidth * ratio;
  canvas.height = canvas.offsetHeight * ratio;
  canvas.getContext("2d").scale(ratio, ratio);
  pad.clear();
  pad.fromData(strokes);
}

async function finish(field, box, pad, name, done) {
  const typed = name?.value.trim();
  if (pad.isEmpty() && !typed) return toast(say("sign_empty"), { kind: "error" });
  const canvas = pad.isEmpty() ? written(typed) : pad.canvas;
  done.disabled = true;
  try {
    const blob = await new Promise((resolve) => trimmed(canvas).toBlob(resolve, "image/png"));
    const data = new FormData();
    data.append("file", blob, `${say("signature")}.png`);
    put(field, await send(field.dataset.upload, data));
    box.close();
  } catch (answer) {
    const said = await answer.json?.().catch(() => null);
    toast(said?.detail ?? say("upload_failed", { name: say("signature") }), { kind: "error" });
    done.disabled = false;
  }
}

function put(field, said) {
  field.querySelectorAll("img, input[type=hidden]").forEach((old) => old.remove());
  if (said) {
    field.prepend(make("img", { class: "signature-picture", src: said.view || said.url, alt: say("signature") }), make("input", { type: "hidden", name: field.dataset.name, value: said.id }));
  }
  field.querySelector("[data-sign-remove]").hidden = !said;
  field.querySelector("[data-sign] span").textContent = say(said ? "sign_again" : "sign_here");
  field.dispatchEvent(new CustomEvent("change", { bubbles: true }));
}

function written(name) {
  const canvas = make("canvas", { width: 1400, height: 320 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#10131a";
  pen.font = 'italic 160px "Kaiti SC", KaiTi, STKaiti, "Segoe Script", "Snell Roundhand", cursive';
  pen.textBaseline = "middle";
  pen.fillText(name, 40, 160, 1320);
  return canvas;
}

/* Only the part that is drawn on, so that it stands as large as it can wherever it is shown. */
function trimmed(canvas) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!data[(y * width + x) * 4 + 3]) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  const [across, down] = [Math.max(1, right - left + 1), Math.max(1, bottom - top + 1)];
  const made = make("canvas", { width: across + 2 * MARGIN, height: down + 2 * MARGIN });
  made.getContext("2d").drawImage(canvas, left, top, across, down, MARGIN, MARGIN, across, down);
  return made;
}

whenever("[data-signature]", start);
