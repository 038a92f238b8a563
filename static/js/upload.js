/* Files of a field: dropped, pasted or chosen; each is sent at once, its id is kept in a hidden input. */

import { icon, make, on, say, token, whenever } from "./dom.js";
import { toast } from "./toast.js";

const MB = 1024 * 1024;
const listOf = (field) => field.querySelector(".files");
const count = (field) => listOf(field).querySelectorAll(".file:not(.failed)").length;

function size(bytes) {
  return bytes >= MB ? `${(bytes / MB).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

function refusal(field, file, instead) {
  const endings = (field.dataset.endings ?? "").split(",").map((one) => one.trim().replace(/^\./, "").toLowerCase()).filter(Boolean);
  const largest = Number(field.dataset.largest || 20);
  if (file.size > largest * MB) return say("file_too_large", { name: file.name, limit: largest });
  if (endings.length && !endings.includes(file.name.split(".").at(-1).toLowerCase())) return say("file_kind", { name: file.name, kinds: endings.join(", ") });
  if (!instead && count(field) >= Number(field.dataset.most || 10)) return say("too_many_files", { count: field.dataset.most });
  return "";
}

function remover(name) {
  return make("button", { type: "button", class: "icon-button small", "data-file-remove": true, title: say("remove"), "aria-label": `${say("remove")} ${name}` }, icon("close"));
}

/** Upload these files into a field; in place of a line, if one is given. */
export function take(field, files, instead = null) {
  for (const file of files) {
    const refused = refusal(field, file, instead);
    refused ? toast(refused, { kind: "error" }) : upload(field, file, instead);
  }
}

function replacer(name) {
  return make("button", { type: "button", class: "icon-button small", "data-file-replace": true, title: say("replace"), "aria-label": `${say("replace")} ${name}` }, icon("replace"));
}

function upload(field, file, instead = null) {
  const bar = make("progress", { class: "progress", max: 100, value: 0, "aria-label": file.name });
  const chosen = !("cameraOnly" in field.dataset);
  const line = make("li", { class: "file uploading" }, icon("file"), make("span", { class: "grow ellipsis" }, file.name), make("span", { class: "size" }, size(file.size)), bar, chosen ? replacer(file.name) : null, remover(file.name));
  instead ? instead.replaceWith(line) : listOf(field).append(line);
  const request = new XMLHttpRequest();
  line.stop = () => request.abort();
  request.upload.onprogress = ({ loaded, total }) => (bar.value = (loaded / total) * 100);
  request.onload = () => (request.status < 300 ? kept(field, line, file, JSON.parse(request.responseText)) : failed(field, line, file, request));
  request.onerror = () => failed(field, line, file, request);
  request.open("POST", field.dataset.upload);
  request.setRequestHeader("X-CSRF-Token", token());
  request.setRequestHeader("Accept", "application/json");
  const data = new FormData();
  data.append("file", file, file.name);
  request.send(data);
}

function kept(field, line, file, said) {
  line.classList.remove("uploading");
  line.querySelector(".progress").remove();
  const looks = said.thumbnail ? { "data-lightbox": true, "data-download": said.url } : { target: "_blank", rel: "noopener" };
  line.querySelector(".grow").replaceWith(make("a", { class: "grow ellipsis", href: said.view || said.url, ...looks }, said.text ?? file.name));
  if (said.thumbnail) line.querySelector(".icon").replaceWith(make("img", { class: "thumb", src: said.thumbnail, alt: "", width: 36, height: 36 }));
  line.append(make("input", { type: "hidden", name: field.dataset.name, value: said.id }));
  field.dispatchEvent(new CustomEvent("change", { bubbles: true }));
}

function failed(field, line, file, request) {
  let why = "";
  try {
    const said = JSON.parse(request.responseText);
    why = said.detail ?? said.message ?? "";
  } catch {
    /* no sentence came */
  }
  line.className = "file failed";
  line.querySelector(".progress")?.remove();
  line.querySelector(".size").textContent = why || say("upload_failed", { name: file.name });
  const again = make("button", { type: "button", class: "button small" }, say("retry"));
  again.addEventListener("click", () => {
    line.remove();
    upload(field, file);
  });
  line.querySelector("[data-file-remove]").before(again);
}

function chosen(input) {
  take(input.closest(".upload"), input.files);
  input.value = "";
}

on("change", ".upload input[type=file]", (input, event) => {
  event.stopPropagation();
  chosen(input);
}, true);
whenever(".upload input[type=file]", (input) => input.files.length && chosen(input)); // before this module had come
on("click", "[data-file-remove]", (button) => {
  const field = button.closest(".upload");
  const line = button.closest(".file");
  line.stop?.();
  line.remove();
  field.querySelector("input[type=file]").focus();
  field.dispatchEvent(new CustomEvent("change", { bubbles: true }));
});
on("click", "[data-file-replace]", (button) => {
  const chooser = make("input", { type: "file", accept: button.closest(".upload").querySelector(".drop input[type=file]")?.accept });
  chooser.addEventListener("change", () => take(button.closest(".upload"), chooser.files, button.closest(".file")));
  chooser.click();
});
on("dragover", ".upload .drop", (drop, event) => {
  event.preventDefault();
  drop.classList.add("over");
});
on("dragleave", ".upload .drop", (drop) => drop.classList.remove("over"));
on("drop", ".upload .drop", (drop, event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(drop.closest(".upload"), event.dataTransfer.files);
});
on("paste", ".upload", (field, event) => {
  if (field.querySelector(".drop") && event.clipboardData.files.length) take(field, event.clipboardData.files);
});
