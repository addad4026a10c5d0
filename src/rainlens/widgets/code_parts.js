// What the code lab says and shows of codes: sentences, places and tiles.

import { SOURCES } from "./code_sources.js";
import { h } from "./elements.js";
import { paint } from "./lab_parts.js";
import { uniforms } from "./uniforms.js";

export const TILE = 32; // pixels on each side of what a code draws on its own

/** What the decoder may be given, see SOURCES, and whether the book is used, in words. */
export const GIVEN = {
  clean: "clean picture",
  before: "rainy picture, as it was",
  after: "rainy picture, after fine-tuning",
};
export const QUANTISER = { on: "on", off: "off" };
export const ABOUT = {
  on: "Each cell gets the row of the code book that is nearest to what the encoder says.",
  off: "The decoder gets what the encoder says as it is. There are no codes to change.",
};
export const TILES = "A tile shows what its code draws on its own: a small grid of nothing else, " +
  "decoded. In the picture the neighbours have a say, too, so it may look quite different there.";
/** Key -> its sign, its name, how many rows down and columns to the right. */
export const MOVES = {
  ArrowLeft: ["←", "left", 0, -1], ArrowUp: ["↑", "up", -1, 0],
  ArrowDown: ["↓", "down", 1, 0], ArrowRight: ["→", "right", 0, 1],
};

/** How many codes of two grids differ. */
export const apart = (one, other) => one.reduce((sum, code, i) => sum + (code !== other[i]), 0);

/** What the rain does to the codes, in a sentence. `codes`: by the names of the latents. */
export function verdict(codes) {
  const { length } = codes.clean;
  const [before, after] = [SOURCES.before, SOURCES.after].map(({ latent, dry }) =>
    apart(codes[latent], codes[dry]));
  return `Rain changes ${before} of the ${length} codes that the encoder chooses as it was, and ` +
    `${after} after fine-tuning.`;
}

/** `many` different codes out of `count`, the same ones for the same seed. */
export function drawnCodes(count, many, seed) {
  const draw = uniforms(seed), found = new Set();
  while (found.size < Math.min(many, count)) found.add(Math.floor(draw() * count));
  return [...found];
}

/** The place of the cell that lies so many rows and columns away, held inside the grid. */
export function moved(place, down, right, { rows, columns }) {
  const within = (value, length) => Math.min(length - 1, Math.max(0, value));
  const y = within(Math.floor(place / columns) + down, rows);
  return y * columns + within((place % columns) + right, columns);
}

/** A button that shows what a code draws on its own, and puts it into the cell. */
export class Tile {
  constructor(onPick) {
    this.canvas = h("canvas", { width: TILE, height: TILE });
    this.name = h("span", {}, "–");
    this.node = h("button", { type: "button", class: "rl-tile" }, this.canvas, this.name);
    this.node.addEventListener("click", () => onPick(this.code));
  }

  /** `pixels`: of the code alone, or nothing as long as they are not known. */
  show(code, pixels, isChosen, isUsable) {
    this.code = code;
    this.name.textContent = `${code}`;
    this.node.setAttribute("aria-label", `Put code ${code} here`);
    this.node.setAttribute("aria-pressed", String(isChosen));
    this.node.disabled = !isUsable;
    if (pixels) paint(this.canvas, pixels, TILE);
    else this.canvas.width = TILE; // empties it
  }
}
