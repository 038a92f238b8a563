/* Formatted text: an editor over the textarea, fetched when the first one is seen. Without it the textarea serves. */

import { make, say, token } from "../dom.js";
import { toast } from "../toast.js";

let fetched;
const TOOLS = [[{ header: [1, 2, 3, false] }], ["bold", "italic", "underline", "strike"], [{ list: "ordered" }, { list: "bullet" }], [{ align: [] }], ["blockquote", "link"], ["clean"]];
const MB = 1024 * 1024;
const KINDS = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/* An editor without its styles shows what it hides: both are there, or the textarea stays. */
function ready() {
  return (fetched ??= Promise.all([import("../../vendor/quill.min.js"), styled()]).then(
    () => window.Quill,
    () => null,
  ));
}

function styled() {
  const sheet = make("link", { rel: "stylesheet", href: new URL("../../vendor/quill.snow.css", import.meta.url).pathname });
  return new Promise((resolve, reject) => {
    sheet.addEventListener("load", resolve);
    sheet.addEventListener("error", reject);
    document.head.append(sheet);
  });
}

/* Names of the tools, for the pointer and for screen readers. */
function named(rich) {
  for (const part of rich.querySelectorAll(".ql-toolbar :is(button, .ql-picker-label, .ql-picker-item)")) {
    const tool = part.closest("button, .ql-picker").className.match(/ql-(?!picker|active|expanded|icon)(\w+)/)?.[1];
    const value = part.value || part.dataset.value || "";
    const heading = tool === "header" && !part.matches(".ql-picker-label");
    const word = heading ? (value ? say("rich_heading", { level: value }) : say("rich_normal")) : say(`rich_${tool}${value && tool !== "header" ? `_${value}` : ""}`);
    part.title = word;
    part.setAttribute("aria-label", word);
    if (tool === "header") part.dataset.label = heading ? word : say("rich_normal");
  }
  const tooltip = rich.querySelector(".ql-tooltip");
  Object.assign(tooltip.dataset, { visit: say("rich_visit"), enter: say("rich_enter") });
  Object.assign(tooltip.querySelector(".ql-action").dataset, { word: say("edit"), save: say("save") });
  tooltip.querySelector(".ql-remove").dataset.word = say("remove");
}

/* What is sent; a picture that is still on its way is not in it yet. */
function htmlOf(quill) {
  const html = quill.getSemanticHTML().replaceAll("&nbsp;", " ").replace(/<img[^>]* src="data:[^>]*>/g, "");
  return quill.getText().trim() || html.includes("<img") ? html : "";
}

const pictures = (rich) => rich.querySelectorAll(".ql-editor img").length;
const dataOf = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = reject;
    reader.readAsDataURL(file);
  });

function fileOf(data) {
  const [, kind, body] = data.match(/^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=\s]+)$/) ?? [];
  if (!kind) return null;
  const bytes = Uint8Array.from(atob(body.replace(/\s/g, "")), (one) => one.charCodeAt(0));
  return new File([bytes], `picture.${kind.slice(6).replace("jpeg", "jpg")}`, { type: kind });
}

function refusal(rich, file) {
  if (!KINDS.includes(file.type)) return say("file_kind", { name: file.name, kinds: "png, jpg, gif, webp" });
  if (file.size > Number(rich.dataset.largest) * MB) return say("file_too_large", { name: file.name, limit: rich.dataset.largest });
  return pictures(rich) >= Number(rich.dataset.most) ? say("rich_most", { count: rich.dataset.most }) : "";
}

/* Shown at once, then kept as a file of the record's: until that is done the form waits. */
async function insert(rich, quill, file, at) {
  const refused = refusal(rich, file);
  if (refused) return toast(refused, { kind: "error" });
  const shown = await dataOf(file);
  quill.insertEmbed(at, "image", shown, "user");
  quill.setSelection(at + 1, 0, "silent");
  await keep(rich, quill, shown, file);
}

async function keep(rich, quill, shown, file) {
  rich.classList.add("uploading");
  rich.waiting = (rich.waiting ?? 0) + 1;
  const said = await uploaded(rich.dataset.upload, file);
  for (const image of rich.querySelectorAll(".ql-editor img"))
    if (image.getAttribute("src") === shown) exchange(quill, image, said && { url: said.url, name: said.text });
  rich.waiting -= 1;
  if (!rich.waiting) rich.classList.remove("uploading");
  quill.root.dispatchEvent(new Event("blur"));
}

function exchange(quill, image, kept) {
  const Delta = window.Quill.import("delta");
  const change = new Delta().retain(quill.getIndex(window.Quill.find(image))).delete(1);
  quill.updateContents(kept ? change.insert({ image: kept.url }, { alt: kept.name }) : change, "user");
}

async function uploaded(url, file) {
  const body = new FormData();
  body.append("file", file, file.name);
  try {
    const answer = await fetch(url, { method: "POST", credentials: "same-origin", headers: { "X-CSRF-Token": token(), Accept: "application/json" }, body });
    const said = await answer.json();
    if (answer.ok) return said;
    toast(said.detail ?? said.message ?? say("upload_failed", { name: file.name }), { kind: "error" });
  } catch {
    toast(say("upload_failed", { name: file.name }), { kind: "error" });
  }
  return null;
}

/* Of pasted markup: our own pictures stay, those inside it are kept as files, others are left out and said. */
function pasted(rich, quill, image, Delta) {
  const source = image.getAttribute("src") ?? "";
  const own = source.replace(location.origin, "");
  if (/^\/pictures\/[0-9a-f-]{36}$/.test(own)) return new Delta().insert({ image: own }, { alt: image.alt });
  const file = rich.dataset.upload && fileOf(source);
  if (file && !refusal(rich, file)) {
    setTimeout(() => keep(rich, quill, source, file));
    return new Delta().insert({ image: source });
  }
  if (source) toast(say("rich_foreign"), { kind: "warn" });
  return new Delta();
}

function choose(rich, quill) {
  const chooser = make("input", { type: "file", accept: KINDS.join(","), multiple: true });
  chooser.addEventListener("change", async () => {
    for (const file of chooser.files) await insert(rich, quill, file, quill.getSelection(true).index);
  });
  chooser.click();
}

/* What the editor may hold and do: pictures only where they can be kept. */
function options(rich, area, quill) {
  const tools = rich.dataset.upload ? TOOLS.map((group) => (group.includes("link") ? [...group, "image"] : group)) : TOOLS;
  const upload = async (range, files) => {
    for (const file of rich.dataset.upload ? files : []) await insert(rich, quill(), file, range.index);
  };
  const toolbar = { container: tools, handlers: rich.dataset.upload ? { image: () => choose(rich, quill()) } : {} };
  const formats = ["header", "bold", "italic", "underline", "strike", "list", "align", "indent", "blockquote", "link", "image"];
  return { theme: "snow", placeholder: area.placeholder, modules: { toolbar, uploader: { mimetypes: KINDS, handler: upload } }, formats };
}

/** Turn the textarea in here into an editor. */
export async function edit(rich) {
  const area = rich.querySelector("textarea");
  const Quill = await ready();
  if (!Quill || !rich.isConnected || area.disabled || rich.querySelector(".ql-container")) return;
  const page = make("div");
  const written = area.value;
  rich.append(page);
  const quill = new Quill(page, options(rich, area, () => quill));
  quill.clipboard.addMatcher("img", (image) => pasted(rich, quill, image, Quill.import("delta")));
  quill.clipboard.dangerouslyPasteHTML(/<[a-z]/i.test(written) ? written : "", "silent");
  if (written && !/<[a-z]/i.test(written)) quill.setText(written, "silent");
  named(rich);
  area.hidden = true;
  for (const [name, value] of [["role", "textbox"], ["aria-multiline", "true"], ["aria-label", rich.dataset.label], ["aria-describedby", area.getAttribute("aria-describedby")], ["id", `${area.id}-editor`]]) if (value) quill.root.setAttribute(name, value);
  quill.root.style.minHeight = `${area.rows * 1.5}em`;
  quill.history.clear();
  quill.on("text-change", () => {
    area.value = htmlOf(quill);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  rich.addEventListener("rich:same", ({ detail }) => {
    const filled = detail.querySelector("textarea")?.value ?? "";
    if (filled === area.defaultValue || filled === area.value || rich.waiting || rich.contains(document.activeElement)) return;
    area.defaultValue = filled;
    quill.clipboard.dangerouslyPasteHTML(/<[a-z]/i.test(filled) ? filled : "", "silent");
    if (!/<[a-z]/i.test(filled)) quill.setText(filled, "silent");
    area.value = filled;
  });
  quill.root.addEventListener("blur", () => area.dispatchEvent(new Event("change", { bubbles: true })));
}
