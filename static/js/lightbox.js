/* Pictures over the page, one after another; closed by Escape, by the button, or beside the picture. */

import { icon, make, on, say } from "./dom.js";

const round = (link) => [...(link.closest(".files, .picture-row, td, .gallery-card") ?? link.parentElement).querySelectorAll("a[data-lightbox]:not([tabindex='-1'])")];

function open(link) {
  const all = round(link);
  let place = Math.max(0, all.findIndex((one) => one.href === link.href));
  const picture = make("img", { alt: "" });
  const caption = make("figcaption", { class: "grow ellipsis" });
  const download = make("a", { class: "icon-button", title: say("download"), "aria-label": say("download") }, icon("download"));
  const box = make("dialog", { class: "lightbox", "aria-label": say("view_pictures") });
  const turn = (by) => show((place + by + all.length) % all.length);
  const show = (next) => {
    place = next;
    const one = all[place] ?? link;
    picture.src = one.href;
    picture.alt = one.title || one.textContent.trim();
    caption.textContent = all.length > 1 ? `${picture.alt} · ${place + 1}/${all.length}` : picture.alt;
    download.href = one.dataset.download ?? one.href;
  };
  const step = (name, by, word) => {
    const button = make("button", { type: "button", class: `icon-button step ${name}`, title: say(word), "aria-label": say(word) }, icon(name === "back" ? "chevron-left" : "chevron-right"));
    button.addEventListener("click", () => turn(by));
    return button;
  };
  const close = make("button", { type: "button", class: "icon-button", title: say("close"), "aria-label": say("close") }, icon("close"));
  close.addEventListener("click", () => box.close());
  box.append(make("header", {}, caption, download, close), make("figure", {}, picture));
  if (all.length > 1) box.append(step("back", -1, "previous_picture"), step("on", 1, "next_picture"));
  box.addEventListener("click", (event) => event.target.matches("figure, dialog") && box.close());
  box.addEventListener("keydown", ({ key }) => {
    if (all.length > 1 && key === "ArrowLeft") turn(-1);
    if (all.length > 1 && key === "ArrowRight") turn(1);
  });
  swipe(picture, turn);
  box.addEventListener("close", () => {
    box.remove();
    link.focus?.({ preventScroll: true });
  });
  document.body.append(box);
  show(place);
  box.showModal();
  close.focus();
}

function swipe(element, turn) {
  let begun = 0;
  element.addEventListener("touchstart", (event) => (begun = event.changedTouches[0].clientX), { passive: true });
  element.addEventListener("touchend", (event) => {
    const far = event.changedTouches[0].clientX - begun;
    if (Math.abs(far) > 60) turn(far < 0 ? 1 : -1);
  }, { passive: true });
}

on("click", "a[data-lightbox]", (link, event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  open(link);
}, true);
