// The rain lab: the book's networks on a picture, under rain that the reader sets.
//
// A classic script is made of this module (`rain_lab.py`), so that it runs on a page opened as a
// file, too. The page's compare.js, which comes after it, makes the two pictures a pair to wipe.
// All computing is done by a worker; this file is what the reader sees and touches.

import { h } from "./elements.js";
import { Bench } from "./lab_bench.js";
import {
  button, choice, group, inLevels, measured, paint, row, shown, slider, soft, term,
} from "./lab_parts.js";
import { STYLE } from "./lab_style.js";
import { uniforms } from "./uniforms.js";

// ---------------------------------------------------------------------------------------------
// 1  What there is to set and to read

const SLIDERS = {
  quantity: { label: "Quantity", min: 50, max: 600, step: 10 },
  width: { label: "Width", min: 1, max: 9, step: 2, unit: "px" },
  length: { label: "Length", min: 5, max: 60, step: 1, unit: "px" },
  direction: { label: "Angle", min: -90, max: 90, step: 1, unit: "°" },
  weight: { label: "Strength", min: 0.2, max: 1.5, step: 0.05 },
};
const RAIN = ["quantity", "width", "length", "direction"]; // what training draws from a range
const PLAIN = { untouched: "untouched", median: "median filter", exact: "exact removal" };
const MEASURES = {
  eR: ["E_R", "E_R", "How much was changed where it rains. 0: nothing."],
  eB: ["E_B", "E_B", "Damage where it does not rain. Lower is better."],
  gain: ["removal gain", "removal-gain", "0: the rain was left. 1: exactly the rain is gone."],
  contrast: ["contrast gain", "contrast-gain", "How much of the streaks’ contrast is gone."],
  response: ["rain response", "rain-response", "How much of the rain comes out again."],
};
const GREY_LEVELS = ["eR", "eB"];
const OF_MAP = ["direction", "width"]; // what the map goes through
const ANGLES = [-90, -60, -30, 0, 30, 60, 90];
const WIDTHS = [1, 3, 5, 7, 9];
const MAP_SIDE = 96; // pixels of the picture's middle: enough streaks, and quick
const GREY = [1, 1, 1];
const OWN = "own"; // the reader's photograph, among the names of pictures

const withUnit = (number, unit = "") => {
  const text = String(Math.round(100 * number) / 100).replace("-", "−");
  return unit === "px" ? `${text} px` : text + unit;
};

/** Which settings of a rain lie outside of what a range of training draws from. */
export function outside(settings, range) {
  const names = RAIN.filter((name) => {
    const [low, high] = [Math.min(...range[name]), Math.max(...range[name])];
    // Widths are listed one by one; of the others a range has the ends.
    const isIn = name === "width" ? range.width.includes(settings.width)
      : settings[name] >= low && settings[name] <= high;
    return !isIn;
  });
  if (settings.weight !== 1) names.push("weight");
  return settings.tinted ? [...names, "tint"] : names;
}

/** A rain drawn from a range, as training draws it. */
export function drawn(range, seed) {
  const draw = uniforms(seed);
  const between = ([low, high]) => low + Math.floor(draw() * (high - low + 1));
  return {
    quantity: Math.round(between(range.quantity) / 10) * 10,
    width: range.width[Math.floor(draw() * range.width.length)],
    length: between(range.length),
    direction: between(range.direction),
    weight: 1,
    tinted: false,
  };
}

/** One sentence on what is seen, from the numbers alone; where to draw the lines is our choice. */
export function verdict({ contrast, eB }) {
  if (!Number.isFinite(contrast)) return "There is hardly any rain to remove.";
  const streaks = contrast < 0.3 ? "Most of the streaks’ contrast is still there"
    : contrast < 0.7 ? "A part of the streaks’ contrast is gone, a part is left"
    : "Most of the streaks’ contrast is gone";
  if (!Number.isFinite(eB)) return `${streaks}; it rains on every pixel.`;
  const rest = eB < 6 ? "nearly as it was" : eB < 15 ? "changed a little" : "changed a lot";
  return `${streaks}; the picture beside them is ${rest}.`;
}

// ---------------------------------------------------------------------------------------------
// 2  Files: networks and pictures, loaded when they are asked for

/** A picture as (3, size, size) in [0, 1]: its middle, scaled so that `whole` pixels fill it. */
function pixels(bitmap, size, whole) {
  const scale = whole / Math.min(bitmap.width, bitmap.height);
  const canvas = h("canvas", { width: size, height: size });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // under transparent parts, as in the package
  context.fillRect(0, 0, size, size);
  context.drawImage(bitmap, (size - width) / 2, (size - height) / 2, width, height);
  const { data } = context.getImageData(0, 0, size, size);
  const area = size * size;
  return Float32Array.from({ length: 3 * area }, (_, i) =>
    data[4 * (i % area) + Math.floor(i / area)] / 255);
}

// ---------------------------------------------------------------------------------------------
// 3  Controls

/** A slider with a band where the network's training lies. */
function banded({ label, min, max, step, unit = "" }, onInput) {
  const band = h("span", { class: "rl-range", hidden: "" });
  const { input, value, box } = slider(label, { min, max, step }, onInput, band);
  const show = (number, trained) => {
    input.value = number;
    value.textContent = withUnit(number, unit);
    band.hidden = !trained;
    if (!trained) return input.setAttribute("aria-valuetext", withUnit(number, unit));
    const [low, high] = [Math.min(...trained), Math.max(...trained)];
    const [from, to] = [low, high].map((end) => (end - min) / (max - min));
    // The thumb's middle is 10 pixels from either end of the track.
    band.style.left = `calc(${10 - 20 * from}px + ${100 * from}%)`;
    band.style.width = `calc(${100 * (to - from)}% - ${20 * (to - from)}px)`;
    const words = low === high ? `${low}` : `${low} to ${high}`;
    input.setAttribute("aria-valuetext", `${withUnit(number, unit)}, trained on ${words}`);
  };
  return { box, show };
}

// ---------------------------------------------------------------------------------------------
// 4  The panel

/** What the lab shows and asks of its worker. See `mount` for what it is given. */
class Panel extends Bench {
  constructor(element, told) {
    super(element, told);
    this.networks = new Map(told.networks.map((network) => [network.name, network]));
    this.known = new Set(); // networks that the worker has
    this.job = 0;
    this.result = {};
    const usual = `medium-${told.counts.at(-1)}`;
    this.settings = {
      method: this.networks.has(usual) ? usual : told.networks.at(-1)?.name ?? "median",
      picture: told.pictures[0].name, size: told.sizes.at(-1),
      quantity: 250, width: 7, length: 30, direction: 0, weight: 1, tinted: false, seed: 1,
    };
    this.build();
    this.show();
    this.observe();
  }

  // ---- building

  build() {
    this.pick = { method: {}, picture: {}, size: {} };
    this.verdict = h("p", { class: "rl-verdict" });
    this.place = h("p", { class: "rl-place" });
    const column = (...parts) => h("div", { class: "rl-column" }, ...parts);
    this.element.classList.add("rl-lab-live");
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "The rain lab");
    this.element.replaceChildren(
      h("style", {}, STYLE),
      h("div", { class: "rl-bench" },
        column(this.pair(), this.verdict, this.notice), this.rain(), this.methods(),
        this.pictures()),
      this.numbers(), this.map(), this.live,
    );
  }

  choice(name, value, text, label) {
    const one = choice(`rl-lab-${name}`, value, text, label, (picked) =>
      this.set({ [name]: typeof this.settings[name] === "number" ? Number(picked) : picked }));
    this.pick[name][value] = one.input;
    return one.box;
  }

  pictures() {
    const file = h("input", { type: "file", accept: "image/*", class: "rl-unseen", tabindex: -1,
      "aria-hidden": "true" });
    file.addEventListener("change", () => {
      if (file.files[0]) this.own(file.files[0]);
      file.value = ""; // so that the same file can be chosen again
    });
    const boxes = this.told.pictures.map(({ name }) => this.choice("picture", name, name));
    const sizes = this.told.sizes.map((size) => this.choice("size", size, `${size}`,
      `${size} by ${size} pixels`));
    this.mine = button("your own …", () => file.click());
    return h("div", { class: "rl-column" },
      group("Picture", row(...boxes, this.mine, file)),
      soft("Your own photograph stays in this browser: it is sent nowhere."),
      group("Pixels on each side", row(...sizes)));
  }

  /** The two pictures, as compare.js wants them. */
  pair() {
    const canvas = (label) => h("canvas", { width: 8, height: 8, role: "img", "aria-label": label });
    this.rainy = canvas("The rainy picture");
    this.output = canvas("The output");
    this.tag = h("span", { class: "rl-tag" }, "output");
    const side = (which, ...parts) => h("span", { class: `rl-side rl-${which}` }, ...parts);
    return h("div", { class: "rl-compare" },
      h("div", { class: "rl-pair", "data-title": "Rain lab", "data-result": "output" },
        side("before", this.rainy, h("span", { class: "rl-tag" }, "rainy")),
        side("after", this.output, this.tag)));
  }

  methods() {
    const { ranges, counts } = this.told;
    const cell = (range, count) => {
      const name = `${range}-${count}`;
      const there = this.networks.has(name);
      const label = `${range} rain, N = ${count}${there ? "" : ", not trained yet"}`;
      const box = this.choice("method", name, there ? `${count}` : "–", label);
      this.pick.method[name].disabled = !there;
      return h("td", {}, box);
    };
    const rows = Object.keys(ranges).map((range) =>
      h("tr", {}, h("th", { scope: "row" }, range), ...counts.map((count) => cell(range, count))));
    const heads = counts.map((count) => h("th", { scope: "col" }, `N = ${count}`));
    const plain = Object.entries(PLAIN).map(([name, text]) => this.choice("method", name, text));
    const isWhole = this.networks.size === counts.length * rows.length;
    return h("div", { class: "rl-column" },
      group("Network: range of its training rain, and N",
        h("table", { class: "rl-grid rl-networks" },
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "rain"), ...heads)),
          h("tbody", {}, ...rows)),
        ...(isWhole ? [] : [soft("Dashed: not trained yet.")])),
      group("Or no network", row(...plain)));
  }

  numbers() {
    this.fields = {};
    const rows = Object.entries(MEASURES).map(([key, [name, anchor, about]]) => {
      const one = measured(term(name, anchor, this.told.glossary), about);
      this.fields[key] = one.value;
      return one.row;
    });
    return h("dl", {}, ...rows);
  }

  rain() {
    this.sliders = {};
    for (const [name, about] of Object.entries(SLIDERS)) {
      this.sliders[name] = banded(about, (value) => this.set({ [name]: value }));
    }
    this.tinted = h("input", { type: "checkbox" });
    this.tinted.addEventListener("change", () => this.set({ tinted: this.tinted.checked }));
    const presets = Object.keys(this.told.ranges).map((range) => {
      const node = button(range, () => this.draw(range));
      node.setAttribute("aria-label", `Draw rain from the ${range} range`);
      return node;
    });
    const boxes = Object.values(this.sliders).map(({ box }) => box);
    this.key = soft(h("span", { class: "rl-key" }), "what this network was trained on");
    return h("div", { class: "rl-column" },
      group("Rain", this.key, ...boxes,
        h("label", { class: "rl-check" }, this.tinted, "tinted, warmer than grey"), this.place),
      group("Draw from a range, or other drops", row(...presets,
        button("other drops", () => this.set({ seed: this.settings.seed + 1 })))));
  }

  map() {
    const heads = ANGLES.map((angle) => h("th", { scope: "col" }, withUnit(angle, "°")));
    this.cells = [];
    const rows = WIDTHS.map((width) => {
      const cells = ANGLES.map((direction) => {
        const cell = h("td", {});
        this.cells.push({ cell, width, direction });
        return cell;
      });
      return h("tr", {}, h("th", { scope: "row", "aria-label": `width ${width}` }, `${width}`),
        ...cells);
    });
    this.mapButton = button("Fill the map", () => this.toggleMap());
    this.mapStatus = h("span", { class: "rl-soft" });
    const columns = h("colgroup", {}, h("col", { class: "rl-first" }));
    return h("div", { class: "rl-map" },
      h("p", {}, h("strong", {}, "Map. "),
        "Contrast gain for seven angles (across) and five widths (down), on the middle of the " +
          "picture; quantity, length, strength and tint are those of the sliders. Framed: what " +
          "this network was trained on."),
      h("table", { class: "rl-grid" },
        h("caption", { class: "rl-unseen" }, "Contrast gain by angle and width of the rain"),
        columns,
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "px"), ...heads)),
        h("tbody", {}, ...rows)),
      row(this.mapButton, this.mapStatus));
  }

  // ---- what the reader sets

  set(changes) {
    Object.assign(this.settings, changes);
    this.show();
    if (Object.keys(changes).some((name) => !OF_MAP.includes(name))) this.clearMap();
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.worker) this.refresh();
    });
  }

  draw(range) {
    const seed = this.settings.seed + 1;
    this.set({ ...drawn(this.told.ranges[range], seed), seed });
  }

  async own(file) {
    try {
      this.photograph = await createImageBitmap(file);
      this.set({ picture: OWN });
    } catch {
      this.fail(new Error(`${file.name} is no picture that this browser can read.`));
    }
  }

  /** The range of rain that the chosen network was trained on; none without a network. */
  trained() {
    const network = this.networks.get(this.settings.method);
    return network && this.told.ranges[network.range];
  }

  show() {
    const { settings } = this;
    const trained = this.trained();
    for (const [name, inputs] of Object.entries(this.pick)) {
      for (const [value, input] of Object.entries(inputs)) {
        input.checked = value === String(settings[name]);
      }
    }
    for (const [name, one] of Object.entries(this.sliders)) {
      one.show(settings[name], trained && (name === "weight" ? [1, 1] : trained[name]));
    }
    this.mine.setAttribute("aria-pressed", String(settings.picture === OWN));
    this.tinted.checked = settings.tinted;
    this.key.hidden = !trained;
    this.place.textContent = this.whereabouts();
    for (const { cell, width, direction } of this.cells) {
      const isIn = trained?.width.includes(width) && direction >= trained.direction[0] &&
        direction <= trained.direction[1];
      cell.classList.toggle("rl-trained", Boolean(isIn));
    }
  }

  whereabouts() {
    const trained = this.trained();
    if (!trained) return "This choice was trained on nothing.";
    const names = { weight: "strength", direction: "angle" };
    const out = outside(this.settings, trained).map((name) => names[name] ?? name);
    return out.length
      ? `Outside of what this network was trained on: ${out.join(", ")}.`
      : "This rain is inside of what this network was trained on.";
  }

  /** The rain as the worker wants it. */
  asked() {
    const { tinted, seed, weight, quantity, width, length, direction } = this.settings;
    const tint = tinted ? this.told.tint : GREY;
    return { quantity, width, length, direction, weight, seed, tint };
  }

  // ---- loading and asking

  bitmap(name) {
    if (name === OWN) return this.photograph;
    const { file } = this.told.pictures.find((picture) => picture.name === name);
    return this.once(file, (bytes) => createImageBitmap(new Blob([bytes])));
  }

  /** Loads what is missing, hands it to the worker, and asks for the output. */
  async refresh() {
    const job = (this.job += 1);
    const { method, picture, size } = this.settings;
    this.settle("loading");
    try {
      const bitmap = await this.bitmap(picture);
      const network = this.networks.get(method);
      const bytes = network && await this.once(network.file, (read) => read);
      if (job !== this.job) return;
      if (network && !this.known.has(method)) {
        this.worker.postMessage({ kind: "network", name: method, bytes });
        this.known.add(method);
      }
      if (this.sent !== bitmap || this.result.size !== size) {
        this.sent = bitmap;
        this.result = { size, clean: pixels(bitmap, size, 256) };
        this.worker.postMessage({ kind: "picture", values: this.result.clean, size });
      }
    } catch (error) {
      if (job === this.job) this.fail(error);
      return;
    }
    this.worker.postMessage({ kind: "run", job, method, rain: this.asked() });
    this.settle("working");
  }

  settle(status, message = "") {
    super.settle(status, message);
    const isDone = status === "ready" || status === "idle";
    this.tag.textContent = isDone ? "output" : status === "error" ? "no output" : "computing …";
  }

  hear(message) {
    const { kind, job, ...told } = message;
    if (kind === "cell" || kind === "map") return job === this.mapJob && this.fill(message);
    if (kind !== "network" && job !== this.job) return;
    if (kind === "network") return this.refuse(told);
    if (told.error) return this.fail(new Error(`This did not work: ${told.error}.`));
    Object.assign(this.result, told);
    if (kind === "rain") paint(this.rainy, told.rainy, told.size);
    if (kind === "output") paint(this.output, told.output, told.size);
    if (kind === "scores") this.tell(told.scores);
  }

  /** A network that the worker could not read is loaded anew when the reader tries again. */
  refuse({ name, error }) {
    const { file } = this.networks.get(name);
    this.known.delete(name);
    this.loaded.delete(file);
    this.job += 1; // what was asked of it comes to nothing
    this.fail(new Error(`The file ${file} is damaged (${error}): please try again.`));
  }

  tell(scores) {
    for (const [key, field] of Object.entries(this.fields)) {
      field.textContent = (GREY_LEVELS.includes(key) ? inLevels : shown)(scores[key]);
    }
    this.verdict.textContent = verdict(scores);
    this.settle("ready");
    this.announce(() => {
      const network = this.networks.get(this.settings.method);
      const what = network ? `Network of ${network.range} rain, N = ${network.count}`
        : PLAIN[this.settings.method];
      const numbers = `contrast gain ${shown(scores.contrast)}, E_B ${inLevels(scores.eB)}`;
      return `${what}. ${this.whereabouts()} ${verdict(scores)} ${numbers}.`;
    });
  }

  // ---- the map

  toggleMap() {
    if (this.mapJob) {
      this.worker.postMessage({ kind: "stop" });
      return this.endMap("Stopped.");
    }
    this.clearMap();
    if (this.element.dataset.rlStatus !== "ready") return this.endMap("Wait for the output first.");
    this.mapJob = this.job;
    this.mapButton.textContent = "Stop";
    this.mapStatus.textContent = "Computing …";
    const rains = this.cells.map(({ width, direction }) => ({ ...this.asked(), width, direction }));
    const { method, size } = this.settings;
    const side = Math.min(MAP_SIDE, size);
    this.worker.postMessage({ kind: "map", job: this.mapJob, method, rains, side });
  }

  fill({ index = 0, contrast = NaN, last = false, error = "" }) {
    if (error) return this.endMap(`This did not work: ${error}.`);
    const { cell } = this.cells[index];
    cell.textContent = shown(contrast);
    cell.style.setProperty("--at", `${45 * Math.min(1, Math.max(0, contrast || 0))}%`);
    if (cell.classList.contains("rl-trained")) {
      cell.append(h("span", { class: "rl-unseen" }, ", trained on"));
    }
    this.mapStatus.textContent = `${index + 1} of ${this.cells.length}`;
    if (!last) return;
    this.endMap("Done. 1: none of the streaks’ contrast is left. 0: all of it.");
    this.announce(() => "The map is complete; its table holds the numbers.");
  }

  endMap(text) {
    this.mapJob = null;
    this.mapButton.textContent = "Fill the map";
    this.mapStatus.textContent = text;
  }

  /** Cells of other settings must not be read as those of the present ones. */
  clearMap() {
    if (this.mapJob) this.worker.postMessage({ kind: "stop" });
    for (const { cell } of this.cells) {
      cell.textContent = "";
      cell.style.removeProperty("--at");
    }
    this.endMap("");
  }

  // ---- for tests

  state() {
    const plain = (value) => (value instanceof Float32Array ? Array.from(value) : value);
    const held = Object.entries({ ...this.settings, ...this.result, rain: this.asked() });
    return Object.fromEntries(held.map(([name, value]) => [name, plain(value)]));
  }
}

/**
 * Puts the lab into `element`; its handle, also found as `element.rlLab`: {set(changes), state()}.
 * `told` is what `rain_lab.py` says: {worker: its script, networks: [{name, range, count, file}],
 * pictures: [{name, file}], sizes: pixels on each side that can be chosen, ranges, counts, tint,
 * glossary, folder: of the files}.
 */
export function mount(element, told) {
  const panel = new Panel(element, told);
  element.rlLab = { set: (changes) => panel.set(changes), state: () => panel.state() };
  return element.rlLab;
}

/** Mounts the lab wherever the page has room for one. */
export function mountAll(told) {
  for (const element of document.querySelectorAll(".rl-lab")) mount(element, told);
}
