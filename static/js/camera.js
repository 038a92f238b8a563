/* The camera: a phone's own, or the one of a computer in a dialog. Also what the scanner of codes looks through. */

import { icon, isPhone, make, say, whenever } from "./dom.js";
import { toast } from "./toast.js";
import { take } from "./upload.js";

function start(button) {
  const field = button.closest(".upload");
  const phone = field.querySelector("[data-capture]");
  phone?.addEventListener("change", (event) => {
    event.stopPropagation();
    take(field, phone.files);
    phone.value = "";
  });
  button.addEventListener("click", async () => {
    if (isPhone() || matchMedia("(pointer: coarse)").matches) return phone.click();
    const file = await picture();
    if (file) take(field, [file]);
  });
}

/** Look through the camera in a dialog. `act(video, close)` may begin at once; resolves when the dialog is closed. */
export async function look(title, foot, act) {
  const box = make("dialog", { class: "dialog camera-dialog", "aria-label": title });
  const video = make("video", { autoplay: true, muted: true, playsinline: true });
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 } } });
  } catch {
    toast(say("no_camera"), { kind: "error" });
    return;
  }
  const close = make("button", { type: "button", class: "icon-button", title: say("close"), "aria-label": say("close") }, icon("close"));
  close.addEventListener("click", () => box.close());
  box.append(make("header", { class: "dialog-head" }, make("h2", {}, title), close), make("div", { class: "dialog-body" }, video), make("div", { class: "dialog-foot" }, ...foot));
  document.body.append(box);
  video.srcObject = stream;
  box.showModal();
  const over = new Promise((resolve) => box.addEventListener("close", resolve, { once: true }));
  act(video, () => box.close());
  await over;
  stream.getTracks().forEach((track) => track.stop());
  box.remove();
}

async function picture() {
  let made = null;
  const shoot = make("button", { type: "button", class: "button primary" }, icon("camera"), make("span", {}, say("take_picture")));
  await look(say("take_picture"), [shoot], (video, close) => {
    shoot.addEventListener("click", async () => {
      made = await frame(video);
      close();
    });
  });
  return made;
}

function frame(video) {
  const canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const name = `${new Date().toISOString().slice(0, 19).replace(/[T:]/g, "-")}.jpg`;
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob && new File([blob], name, { type: "image/jpeg" })), "image/jpeg", 0.9));
}

whenever("[data-camera]", start);
