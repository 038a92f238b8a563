/* A point: found by the device, or typed as latitude and longitude. */

import { say, whenever } from "./dom.js";

const POINT = /^\s*(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)\s*$/;
const part = (field, name) => field.querySelector(`[data-part="${name}"]`);

function start(field) {
  field.querySelector("[data-locate]").addEventListener("click", () => locate(field));
  for (const input of field.querySelectorAll("[data-part]")) input.addEventListener("input", () => gather(field));
}

function locate(field) {
  const note = field.querySelector("[data-locate-note]");
  const button = field.querySelector("[data-locate]");
  const refused = () => {
    button.disabled = false;
    note.textContent = say("no_position");
  };
  if (!navigator.geolocation) return refused();
  button.disabled = true;
  note.textContent = say("locating");
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    button.disabled = false;
    part(field, "point").value = `${coords.latitude.toFixed(6)}, ${coords.longitude.toFixed(6)}`;
    note.textContent = say("accuracy", { n: Math.round(coords.accuracy) });
    gather(field, String(Math.round(coords.accuracy * 10) / 10));
    field.dispatchEvent(new CustomEvent("change", { bubbles: true }));
  }, refused, { enableHighAccuracy: true, timeout: 20_000, maximumAge: 0 });
}

function gather(field, accuracy) {
  const text = part(field, "point").value.trim();
  const place = part(field, "place").value.trim();
  const hidden = field.querySelector("input[type=hidden]");
  const found = text.match(POINT);
  const before = hidden.value.startsWith("{") ? JSON.parse(hidden.value) : {};
  const same = found && before.latitude === found[1] && before.longitude === found[2];
  const given = { latitude: found ? found[1] : text, longitude: found ? found[2] : "", place, accuracy: accuracy ?? (same ? before.accuracy : "") };
  hidden.value = text || place ? JSON.stringify(Object.fromEntries(Object.entries(given).filter(([, value]) => value))) : "";
}

whenever("[data-location]", start);
