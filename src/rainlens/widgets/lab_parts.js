// What the panels of the labs are made of: controls, pictures and numbers.

import { h } from "./elements.js";

/** A radio button that looks like a pill. */
export function choice(group, value, text, label, onPick) {
  const input = h("input", { type: "radio", name: group, value });
  if (label) input.setAttribute("aria-label", label);
  input.addEventListener("change", () => onPick(value));
  return { input, box: h("label", { class: "rl-choice" }, input, h("span", {}, text)) };
}

export function button(text, onClick) {
  const node = h("button", { type: "button" }, text);
  node.addEventListener("click", onClick);
  return node;
}

export const group = (title, ...children) =>
  h("fieldset", {}, h("legend", {}, title), ...children);
export const row = (...children) => h("div", { class: "rl-row" }, ...children);
export const soft = (...children) => h("p", { class: "rl-soft" }, ...children);

/** Shows (3, size, size) in [0, 1] on a canvas, clipped. */
export function paint(canvas, values, size) {
  canvas.width = canvas.height = size;
  const area = size * size;
  const image = new ImageData(size, size);
  for (let i = 0; i < area; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = 255 * values[c * area + i];
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

export const shown = (number) =>
  (Number.isFinite(number) ? number.toFixed(2).replace("-", "−") : "–");
export const inLevels = (number) => (Number.isFinite(number) ? number.toFixed(1) : "–");
