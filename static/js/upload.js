/* Files of a field: dropped, pasted or chosen; each is sent at once, its id is kept in a hidden input. */

import { icon, make, on, say, token } from "./dom.js";
import { toast } from "./toast.js";

const MB = 1024 * 1024;
const listOf = (field) => field.querySelector(".files");
const count = (field) => listOf(field).querySelectorAll(".file:not(.failed)").length;

function size(bytes) {
  return bytes >= MB ? `${(bytes / MB).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

function refusal(field, file) {
  const endings = (field.dataset.endings ?? "").split(",").map((one) => one.trim().replace(/^\./, "").toLowerCase()).filter(Boolean);
  const largest = Number(field.dataset.largest || 20);
  if (file.size > largest * MB) return say("file_too_large", { name: file.name, limit: largest });
  if (endings.length && !endings.includes(file.name.split(".").at(-1).toLowerCase())) return say("file_kind", { name: file.name, kinds: endings.join(", ") });
  if (count(field) >= Number(field.dataset.most || 10)) return say("too_many_files", { count: field.dataset.most });
  return "";
}

function remover(name) {
  return make("button", { type: "button", class: "icon-button small", "data-file-remove": true, title: say("remove"), "aria-label": `${say("remove")} ${name}` }, icon("close"));
}

function take(field, files) {
  for (const file of files) {
    const refused = refusal(field, file);
    refused ? toast(refused, { kind: "error" }) : upload(field, file);
  }
}

function upload(field, file) {
  const bar = make("progress", { class: "progress", max: 100, value: 0, "aria-label": file.name });
  const line = make("li", { class: "file uploading" }, icon("file"), make("span", { class: "grow ellipsis" }, file.name), make("span", { class: "size" }, size(file.size)), bar, remover(file.name));
  listOf(field).append(line);
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
  line.querySelector(".grow").replaceWith(make("a", { class: "grow ellipsis", href: said.url, target: "_blank", rel: "noopener" }, said.text ?? file.name));
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

on("change", ".upload input[type=file]", (input, event) => {
  event.stopPropagation();
  take(input.closest(".upload"), input.files);
  input.value = "";
}, true);
on("click", "[data-file-remove]", (button) => {
  const field = button.closest(".upload");
  const line = button.closest(".file");
  line.stop?.();
  line.remove();
  field.querySelector("input[type=file]").focus();
  field.dispatchEvent(new CustomEvent("change", { bubbles: true }));
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
  if (event.clipboardData.files.length) take(field, event.clipboardData.files);
});
