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

/**
 * A slider with its name before it and its value behind; `under` lies on its track.
 *
 * The value is no output element: a screen reader is told it by the slider itself.
 */
export function slider(label, attributes, onInput, ...under) {
  const input = h("input", { type: "range", "aria-label": label, ...attributes });
  input.addEventListener("input", () => onInput(Number(input.value)));
  const value = h("span", { class: "rl-amount" });
  const track = h("span", { class: "rl-track" }, ...under, input);
  return { input, value, box: h("label", { class: "rl-slider" }, h("span", {}, label), track, value) };
}

/** A row of a list of numbers: its name, which may be a link, its value, what it says. */
export function measured(name, words = "") {
  const value = h("dd", { class: "rl-value" }, "–");
  const about = h("dd", { class: "rl-soft" }, words);
  return { value, about, row: h("div", {}, h("dt", {}, name), value, about) };
}

/** A name with a link to its entry in the glossary, where there is one. */
export const term = (name, anchor, glossary) =>
  (glossary ? h("a", { class: "rl-term", href: `${glossary}#term-${anchor}` }, name) : name);

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
