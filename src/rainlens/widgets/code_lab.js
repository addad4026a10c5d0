// The code lab: what the decoder of a VQGAN draws from a grid of codes, and what one code does.
//
// A classic script is made of this module (`code_lab.py`), so that it runs on a page opened as a
// file, too; in a notebook anywidget calls the default export's `render`. All computing is done by
// a worker; this file is what the reader sees and touches.

import {
  ABOUT, drawnCodes, GIVEN, moved, MOVES, QUANTISER, Tile, TILE, TILES, verdict,
} from "./code_parts.js";
import { SOURCES } from "./code_sources.js";
import { CODE_STYLE } from "./code_style.js";
import { h } from "./elements.js";
import { Bench } from "./lab_bench.js";
import {
  button, choice, group, inLevels, measured, paint, row, shown, soft, term,
} from "./lab_parts.js";
import { STYLE } from "./lab_style.js";

const RANDOM = 4; // codes of the palette that are drawn
const NEAR = 6; // and that the worker names

/** What the lab shows and asks of its worker. See `mount` for what it is given. */
class CodePanel extends Bench {
  constructor(element, told) {
    super(element, told);
    // Panels of one page must not share their groups of radio buttons.
    this.groups = `rl-codes-${document.querySelectorAll(".rl-codes.rl-lab-live").length}`;
    this.job = 0;
    this.asked = 0;
    this.result = {};
    this.tiles = new Map(); // code -> what it draws on its own
    this.near = [];
    this.edits = Object.fromEntries(Object.keys(SOURCES).map((source) => [source, new Map()]));
    this.settings = { source: "before", quantiser: "on", place: 0, seed: 1, marks: false };
    this.build();
    this.observe();
  }

  // ---- building

  build() {
    this.pick = { source: {}, quantiser: {} };
    this.verdict = soft();
    this.about = soft();
    this.element.classList.add("rl-lab-live");
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "The code lab");
    this.element.replaceChildren(
      h("style", {}, STYLE + CODE_STYLE),
      h("div", { class: "rl-column" },
        group("The decoder is given the latent of the", this.choices("source", GIVEN)),
        group("Quantiser", this.choices("quantiser", QUANTISER), this.about, this.verdict,
          this.markBox()),
        this.pair(), this.notice, this.cellParts()),
      this.live);
  }

  choices(name, texts) {
    return row(...Object.entries(texts).map(([value, text]) => {
      const one = choice(`${this.groups}-${name}`, value, text, "", () =>
        this.set({ [name]: value }));
      this.pick[name][value] = one.input;
      return one.box;
    }));
  }

  pair() {
    const picture = (name) => h("canvas", { width: 8, height: 8, role: "img", "aria-label": name });
    this.input = picture("The input");
    this.output = picture("The output");
    this.marked = h("canvas", { class: "rl-marks", width: 1, height: 1, hidden: "" });
    this.changed = h("div", { class: "rl-edits" });
    this.cursors = [0, 1].map(() => h("div", { class: "rl-cursor", hidden: "" }));
    this.names = ["input", "output"].map((name) => h("span", {}, name));
    const held = [
      h("div", { class: "rl-cells" }, this.input, this.cursors[0]),
      h("div", { class: "rl-cells", role: "application", tabindex: 0 },
        this.output, this.marked, this.changed, this.cursors[1]),
    ];
    this.field = held[1];
    this.field.setAttribute("aria-label", "Cells of the output: arrow keys go from cell to cell");
    this.field.addEventListener("keydown", (event) => this.press(event));
    for (const one of held) one.addEventListener("click", (event) => this.point(event, one));
    return h("div", { class: "rl-two" }, ...held.map((one, i) =>
      h("div", { class: i ? "rl-out" : "rl-in" }, soft(this.names[i]), one)), this.numbers());
  }

  numbers() {
    this.fields = {};
    const one = (key, name, about) => {
      const { value, about: words, row } = measured(name, about);
      Object.assign(this.fields, { [key]: value, [`${key}About`]: words });
      return row;
    };
    return h("dl", {},
      one("difference", "difference to clean", "Root mean square of all pixels, in grey levels."),
      one("response", term("rain response", "rain-response", this.told.glossary), ""));
  }

  markBox() {
    this.markInput = h("input", { type: "checkbox" });
    this.markInput.addEventListener("change", () => this.set({ marks: this.markInput.checked }));
    return h("label", { class: "rl-check" }, this.markInput, "darken the cells whose code stays");
  }

  cellParts() {
    this.where = h("p", {}, "");
    this.own = h("canvas", { class: "rl-own", width: TILE, height: TILE, role: "img",
      "aria-label": "What the code draws on its own" });
    const arrows = Object.values(MOVES).map(([sign, word, down, right]) => {
      const node = button(sign, () => this.move(down, right));
      node.setAttribute("aria-label", `One cell ${word}`);
      return node;
    });
    const put = (code) => this.put(code);
    this.palette = Array.from({ length: NEAR + RANDOM }, () => new Tile(put));
    const nodes = this.palette.map(({ node }) => node);
    this.back = button("back", () => this.put(null));
    this.back.setAttribute("aria-label", "Back to the cell’s own code");
    this.reset = button("reset all cells", () => this.clear());
    return h("div", { class: "rl-cell" },
      group("One cell: point at it, or go there by the arrows",
        h("div", { class: "rl-row rl-here" }, this.own, this.where),
        row(...arrows, this.back, this.reset)),
      group("Put another code there: the most similar ones", row(...nodes.slice(0, NEAR))),
      group("Or any others", row(...nodes.slice(NEAR),
        button("draw again", () => this.set({ seed: this.settings.seed + 1 })))),
      soft(TILES));
  }

  // ---- loading and asking

  /** Loads the file, hands it to the worker, and asks for what is to be seen. */
  async refresh() {
    if (this.grid) return this.ask();
    this.settle("loading");
    try {
      const bytes = this.told.data ?? await this.once(this.told.file, (read) => read);
      this.worker.postMessage({ kind: "file", job: 1, bytes });
    } catch (error) {
      this.fail(error);
    }
  }

  hear(message) {
    const { kind, job, ...told } = message;
    if (kind === "file") return told.error ? this.refuse(told.error) : this.open(told);
    if (kind === "tile") return this.keep(message);
    if (kind === "palette" ? job !== this.asked : job !== this.job) return;
    if (told.error) return this.fail(new Error(`This did not work: ${told.error}.`));
    if (kind === "palette") this.near = told.near;
    if (kind === "output") paint(this.output, told.output, this.grid.width);
    Object.assign(this.result, told);
    this.show();
    if (kind === "response") this.finish();
  }

  refuse(error) {
    this.loaded.delete(this.told.file);
    this.fail(new Error(`The file ${this.told.file} is damaged (${error}): please try again.`));
  }

  open(told) {
    this.grid = told;
    const { rows, columns } = told;
    this.settings.place = Math.floor(rows / 2) * columns + Math.floor(columns / 2);
    this.verdict.textContent = verdict(told.codes);
    this.ask();
    this.askPalette();
  }

  ask() {
    const { source, quantiser } = this.settings;
    const quantised = quantiser === "on";
    const edits = quantised ? [...this.edits[source]] : [];
    const job = (this.job += 1);
    this.worker.postMessage({ kind: "decode", job, source, quantised, edits });
    this.settle("working");
    this.show();
  }

  /** Codes like that of the cell, and how they and those drawn look alone. */
  askPalette() {
    const others = this.drawn();
    this.asked += 1;
    this.worker.postMessage({ kind: "palette", job: this.asked, code: this.ownCode(), others });
  }

  keep({ code, tile }) {
    this.tiles.set(code, tile);
    this.showCell();
  }

  settle(status, message = "") {
    super.settle(status, message);
    const isBusy = status === "working" || status === "loading";
    this.names[1].textContent = isBusy ? "output, computing …" : "output";
  }

  finish() {
    this.settle("ready");
    this.announce(() => {
      const { source, quantiser } = this.settings;
      const { difference, response } = this.result;
      const rain = Number.isFinite(response) ? `, rain response ${shown(response)}` : "";
      return `Latent of the ${GIVEN[source]}, quantiser ${quantiser}. Difference to the clean ` +
        `picture ${inLevels(difference)} grey levels${rain}. ${this.where.textContent}`;
    });
  }

  // ---- what the reader sets

  set(changes) {
    const before = { ...this.settings };
    Object.assign(this.settings, changes);
    this.show();
    if (!this.grid) return;
    const isOther = (name) => before[name] !== this.settings[name];
    if (isOther("source") || isOther("quantiser")) this.ask();
    if (isOther("source") || isOther("place") || isOther("seed")) this.askPalette();
  }

  /** Puts a code into the cell; null gives it its own one back. */
  put(code) {
    if (!this.isUsable()) return;
    const { source, place } = this.settings;
    if (code === null || code === this.ownCode()) this.edits[source].delete(place);
    else this.edits[source].set(place, code);
    this.ask();
  }

  clear() {
    this.edits[this.settings.source].clear();
    if (this.grid) this.ask();
  }

  move(down, right) {
    if (!this.grid) return;
    this.set({ place: moved(this.settings.place, down, right, this.grid) });
    this.announce(() => this.where.textContent);
  }

  press(event) {
    const move = MOVES[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.move(move[2], move[3]);
  }

  point(event, field) {
    if (!this.grid) return;
    const { rows, columns } = this.grid;
    const { left, top, width, height } = field.getBoundingClientRect();
    const down = Math.floor((rows * (event.clientY - top)) / height);
    const right = Math.floor((columns * (event.clientX - left)) / width);
    this.set({ place: moved(0, down, right, this.grid) });
    this.announce(() => this.where.textContent);
  }

  // ---- what is known of the cell

  isUsable() {
    return Boolean(this.grid) && this.settings.quantiser === "on";
  }

  ownCode() {
    return this.grid.codes[SOURCES[this.settings.source].latent][this.settings.place];
  }

  code() {
    return this.edits[this.settings.source].get(this.settings.place) ?? this.ownCode();
  }

  drawn() {
    return drawnCodes(this.grid.count, RANDOM, this.settings.seed);
  }

  // ---- showing

  show() {
    const { source, quantiser, marks } = this.settings;
    for (const [name, inputs] of Object.entries(this.pick)) {
      for (const [value, input] of Object.entries(inputs)) {
        input.checked = value === this.settings[name];
      }
    }
    this.about.textContent = ABOUT[quantiser];
    this.markInput.checked = marks;
    this.markInput.disabled = source === "clean";
    if (!this.grid) return;
    const isRainy = source !== "clean";
    this.names[0].textContent = `input, ${isRainy ? "rainy" : "clean"}`;
    paint(this.input, isRainy ? this.grid.rainy : this.grid.clean, this.grid.width);
    this.showMarks();
    this.showCell();
    this.tell();
  }

  tell() {
    const { difference = NaN, response = NaN } = this.result;
    const { source } = this.settings;
    this.fields.difference.textContent = inLevels(difference);
    this.fields.response.textContent = shown(response);
    const hasOwn = this.isUsable() && this.edits[source].size > 0;
    this.fields.responseAbout.textContent = source === "clean" ? "The input has no rain."
      : hasOwn ? "No number while codes of yours are in the grid."
      : "How much of the rain comes out again. 0: none, 1: all.";
  }

  /** What stays the same with and without rain is darkened; the reader's own cells are framed. */
  showMarks() {
    const { codes, rows, columns } = this.grid;
    const { source, marks } = this.settings;
    const { latent, dry } = SOURCES[source];
    this.marked.hidden = !marks || latent === dry;
    Object.assign(this.marked, { width: columns, height: rows });
    const context = this.marked.getContext("2d");
    context.fillStyle = "rgb(10 14 18 / 0.78)";
    codes[latent].forEach((code, place) => {
      if (code !== codes[dry][place]) return;
      context.fillRect(place % columns, Math.floor(place / columns), 1, 1);
    });
    const own = this.isUsable() ? [...this.edits[source].keys()] : [];
    this.changed.replaceChildren(...own.map((place) => this.over(h("div"), place)));
  }

  /** Lays a box over a cell. */
  over(box, place) {
    const { rows, columns } = this.grid;
    box.style.left = `${(100 * (place % columns)) / columns}%`;
    box.style.top = `${(100 * Math.floor(place / columns)) / rows}%`;
    box.style.width = `${100 / columns}%`;
    box.style.height = `${100 / rows}%`;
    return box;
  }

  showCell() {
    const { place, source } = this.settings;
    const { columns, count } = this.grid;
    for (const cursor of this.cursors) {
      cursor.hidden = false;
      this.over(cursor, place);
    }
    const [code, own] = [this.code(), this.ownCode()];
    const isOn = this.isUsable();
    const isOwn = isOn && code !== own;
    const at = `Row ${Math.floor(place / columns) + 1}, column ${(place % columns) + 1}`;
    this.where.textContent = !isOn ? `${at}: the nearest code would be ${own} of ${count}.`
      : `${at}: code ${code} of ${count}${isOwn ? `, yours in the place of ${own}` : ""}.`;
    const tile = this.tiles.get(isOn ? code : own);
    if (tile) paint(this.own, tile, TILE);
    [...this.near, ...this.drawn()].forEach((one, i) =>
      this.palette[i].show(one, this.tiles.get(one), isOn && one === code, isOn));
    this.back.disabled = !isOwn;
    this.reset.disabled = !isOn || this.edits[source].size === 0;
  }

  // ---- for tests

  state() {
    const plain = (held) => Object.fromEntries(Object.entries(held).map(([name, value]) =>
      [name, ArrayBuffer.isView(value) ? Array.from(/** @type {any} */ (value)) : value]));
    const { clean, rainy, codes } = this.grid;
    return { ...plain({ ...this.settings, ...this.result, clean, rainy }), codes: plain(codes),
      near: this.near, drawn: this.drawn(), code: this.code(), ownCode: this.ownCode(),
      edits: [...this.edits[this.settings.source]], tiles: [...this.tiles.keys()] };
  }
}

/**
 * Puts the lab into `element`; its handle, also found as `element.rlCodes`: {set(changes),
 * put(code), clear(), state()}. `told` is what `code_lab.py` says: {worker: its script, folder and
 * file: where the decoder lies, or data: its bytes, glossary: the page's address}.
 */
export function mount(element, told) {
  const panel = new CodePanel(element, told);
  element.rlCodes = {
    set: (changes) => panel.set(changes), put: (code) => panel.put(code),
    clear: () => panel.clear(), state: () => panel.state(),
  };
  return element.rlCodes;
}

/** Mounts the lab wherever the page has room for one. */
export function mountAll(told) {
  for (const element of document.querySelectorAll(".rl-codes")) mount(element, told);
}

/** anywidget's entry: the file comes as a buffer. */
function render({ model, el }) {
  const element = h("div", { class: "rl-lab rl-codes" });
  el.append(element);
  const { buffer, byteOffset, byteLength } = model.get("data");
  const data = new Uint8Array(buffer, byteOffset, byteLength);
  mount(element, { ...model.get("told"), glossary: "", data });
}

export default { render };
