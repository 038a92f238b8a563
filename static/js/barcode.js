/* Codes: scanned where the browser can, typed elsewhere, or typed by a scanner that ends with Enter. */

import { say, whenever } from "./dom.js";
import { look } from "./camera.js";

async function start(field) {
  const input = field.querySelector("input");
  const button = field.querySelector("[data-scan]");
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  if (!button || !(await canScan())) return;
  button.hidden = false;
  input.readOnly = "onlyScanned" in field.dataset;
  button.addEventListener("click", () => scan(field, input));
}

async function canScan() {
  return "BarcodeDetector" in window && Boolean(navigator.mediaDevices) && (await window.BarcodeDetector.getSupportedFormats()).length > 0;
}

async function scan(field, input) {
  const formats = field.dataset.formats ? { formats: field.dataset.formats.split(",") } : undefined;
  const detector = new window.BarcodeDetector(formats);
  await look(say("scan_hold"), [], (video, close) => {
    const search = async () => {
      if (!video.isConnected) return;
      const [found] = video.readyState >= 2 ? await detector.detect(video).catch(() => []) : [];
      if (!found) return setTimeout(search, 150);
      input.value = found.rawValue;
      navigator.vibrate?.(60);
      input.dispatchEvent(new Event("change", { bubbles: true }));
      close();
    };
    search();
  });
  input.focus();
}

whenever("[data-barcode]", start);
