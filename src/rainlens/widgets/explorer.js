// The explorer: number of backgrounds, training rain and training time, each on a control; what was
// measured and what came out follow. Nothing is computed here: all of it was recorded.

import { canvas, drawMap, drawPaths, short, span } from "./explorer_charts.js";
import { EXPLORER_STYLE } from "./explorer_style.js";
import { h } from "./elements.js";
import { Bench } from "./lab_bench.js";
import {
  choice, group, inLevels, measured, row, shown, slider, soft, term,
} from "./lab_parts.js";
import { STYLE } from "./lab_style.js";

const REMOVAL = "contrast";
const DAMAGE = "e_b";
const AT_END = "rejection"; // not measured along training
const TESTS = { unseen: "rain it has not seen", seen: "rain like its training" };
const COLOURED = { [REMOVAL]: "contrast gain", [DAMAGE]: "E_B" };
/** Measure -> its name, its entry of the glossary, what it says. */
const MEASURES = {
  contrast: ["contrast gain", "contrast-gain",
    "Of 16 other pictures. 1: all of the streaks’ contrast is gone."],
  rejection: ["rejection", "rejection",
    "Rain that leaves no trace. Of more pictures, and at the last step alone."],
  e_b: ["E_B", "E_B", "Damage where it does not rain, in grey levels."],
  e_r: ["E_R", "E_R", "Change where it rains, in grey levels."],
};

const written = (key, value) => (key === REMOVAL || key === AT_END ? shown(value) : inLevels(value));
const grouped = (number) => `${number}`.replace(/\B(?=(\d{3})+$)/g, ",");

/** How often each background has been seen, in words. */
export function visits(batch, step, count) {
  const often = (batch * step) / count;
  return often < 10 ? often.toFixed(1) : grouped(Math.round(often));
}

/** The kept moment that is nearest to a step, the later one of two that are. */
export function nearest(kept, step) {
  return kept.reduce((best, one) =>
    (Math.abs(one - step) <= Math.abs(best - step) ? one : best));
}

/** A slider over the places of a list. */
function listed(label, onInput) {
  const { input, value, box } = slider(label, { min: 0, step: 1 }, onInput);
  const show = (place, words) => {
    input.max = `${words.length - 1}`;
    input.value = `${place}`;
    input.setAttribute("aria-valuetext", words[place]);
    value.textContent = words[place];
  };
  return { box, show };
}

/** What the reader sees and touches. See `mount` for what it is given. */
class Explorer extends Bench {
  constructor(element, told) {
    super(element, told);
    const range = "medium" in told.ranges ? "medium" : Object.keys(told.ranges)[0];
    this.settings = { range, test: "unseen", picture: 0, coloured: REMOVAL, n: 0, step: 0 };
    this.settings.step = told.steps.length - 1;
    this.build();
    this.show();
    this.live.textContent = this.sentence();
    this.settle("ready"); // from the beginning: no worker computes anything
  }

  build() {
    this.pick = { range: {}, test: {}, picture: {}, coloured: {} };
    const choices = (name, texts) => row(...Object.entries(texts).map(([value, words]) => {
      const one = choice(`rl-explorer-${name}`, value, words, "", (picked) => this.set(
        { [name]: name === "picture" ? Number(picked) : picked }));
      this.pick[name][value] = one.input;
      return one.box;
    }));
    const names = (list) => Object.fromEntries(list.map((name, i) => [i, name]));
    const ranges = Object.keys(this.told.ranges);
    this.sliders = {
      n: listed("backgrounds", (n) => this.set({ n })),
      step: listed("steps", (step) => this.set({ step })),
    };
    this.often = soft();
    this.map = canvas();
    this.ends = [h("span"), h("span")];
    this.paths = canvas();
    const titled = (title, ...parts) =>
      h("div", { class: "rl-column" }, h("p", {}, h("strong", {}, title)), ...parts);
    this.element.classList.add("rl-lab-live");
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "The explorer");
    this.element.replaceChildren(
      h("style", {}, STYLE + EXPLORER_STYLE),
      this.pictures(),
      h("div", { class: "rl-bench" },
        h("div", { class: "rl-column" },
          group("Range of the training rain",
            choices("range", Object.fromEntries(ranges.map((range) => [range, range])))),
          group("Training", this.sliders.n.box, this.sliders.step.box, this.often)),
        h("div", { class: "rl-column" },
          group("Tested on", choices("test", TESTS)),
          group("Picture", choices("picture", names(this.told.pictures))))),
      this.numbers(),
      h("div", { class: "rl-charts" },
        titled("All moments; the stronger the colour, the higher:", choices("coloured", COLOURED),
          h("p", { class: "rl-scale" }, this.ends[0], h("span", { class: "rl-ramp" }), this.ends[1]),
          this.map),
        titled("The same as paths from the first moment to the last, named in the order of their ends. " +
          "Up: contrast gain.", this.paths)),
      this.live);
  }

  pictures() {
    this.tiles = {};
    return h("div", { class: "rl-three" }, ...["rainy", "output", "clean"].map((name) => {
      const image = h("img", { width: 192, height: 192, alt: "", decoding: "async" });
      const words = h("figcaption", {}, name);
      this.tiles[name] = { image, words };
      return h("figure", {}, image, words);
    }));
  }

  numbers() {
    this.fields = {};
    return h("dl", {}, ...Object.entries(MEASURES).map(([key, [name, anchor, about]]) => {
      const one = measured(term(name, anchor, this.told.glossary), about);
      this.fields[key] = one.value;
      return one.row;
    }));
  }

  set(changes) {
    const count = this.count();
    Object.assign(this.settings, changes);
    // Another range has other numbers of backgrounds: the nearest to what was chosen.
    if ("range" in changes && !("n" in changes)) {
      const { counts } = this.range();
      this.settings.n = counts.indexOf(nearest(counts, count));
    }
    this.show();
    this.announce(() => this.sentence());
  }

  range() {
    return this.told.ranges[this.settings.range];
  }

  count() {
    return this.range().counts[this.settings.n];
  }

  /** [n][step] of a measure on the chosen rain. */
  curves(measure) {
    return this.range()[this.settings.test][measure];
  }

  /** What a measure says at the chosen place; undefined where it was not measured. */
  value(measure) {
    const { n, step } = this.settings;
    if (measure !== AT_END) return this.curves(measure)[n][step];
    return step === this.told.steps.length - 1 ? this.curves(measure)[n] ?? undefined : undefined;
  }

  /** All values of a measure over all ranges, so that colours and places can be compared. */
  all(measure) {
    const { test } = this.settings;
    return Object.values(this.told.ranges).flatMap((range) => range[test][measure].flat());
  }

  show() {
    const { settings, told } = this;
    for (const [name, inputs] of Object.entries(this.pick)) {
      for (const [value, input] of Object.entries(inputs)) {
        input.checked = value === String(settings[name]);
      }
    }
    const { counts } = this.range();
    this.sliders.n.show(settings.n, counts.map(grouped));
    this.sliders.step.show(settings.step, told.steps.map(grouped));
    this.often.textContent = `Each background has been seen ` +
      `${visits(told.batch, told.steps[settings.step], this.count())} times on average.`;
    for (const [key, field] of Object.entries(this.fields)) {
      field.textContent = written(key, this.value(key));
    }
    this.showPictures();
    this.showCharts();
  }

  showPictures() {
    const { test, picture, n, step } = this.settings;
    const { folder, steps, pictures } = this.told;
    const { inputs, outputs } = this.range();
    const kept = outputs[n][test];
    const moment = nearest(Object.keys(kept).map(Number), steps[step]);
    const title = pictures[picture];
    const put = (name, file, words, alt) => {
      const { image, words: caption } = this.tiles[name];
      const source = `${folder}/${file}`;
      if (image.getAttribute("src") !== source) image.setAttribute("src", source);
      image.alt = alt;
      caption.textContent = words;
    };
    put("rainy", inputs[test][picture], "rainy", `${title} under ${TESTS[test]}`);
    put("output", kept[moment][picture], `output at step ${grouped(moment)}`,
      `What the network with N = ${this.count()} makes of it after ${moment} steps`);
    put("clean", inputs.clean[picture], "clean", `${title} without rain`);
  }

  showCharts() {
    const { coloured, n, step, test } = this.settings;
    const { counts } = this.range();
    const at = { n, step };
    const all = this.all(coloured);
    const limits = [Math.min(...all), Math.max(...all)];
    this.ends.forEach((end, i) => { end.textContent = written(coloured, limits[i]); });
    const values = this.curves(coloured);
    drawMap(this.map, { counts, steps: this.told.steps, values, limits, at },
      (column, moment) => this.set({ n: column, step: moment }));
    this.map.setAttribute("aria-label",
      `${COLOURED[coloured]} on ${TESTS[test]}, N across and steps up; the sliders choose a cell`);
    drawPaths(this.paths, { x: this.curves(DAMAGE), y: this.curves(REMOVAL), at,
      limits: { x: span(this.all(DAMAGE)), y: span(this.all(REMOVAL)) }, labels: counts.map(short) });
    this.paths.setAttribute("aria-label",
      `Paths of ${counts.length} networks through training, damage across, contrast gain up`);
  }

  sentence() {
    const { range, step, test } = this.settings;
    const value = (key) => written(key, this.value(key));
    const kept = this.value(AT_END) === undefined ? "" : `rejection ${value(AT_END)}, `;
    return `${range} range, N = ${grouped(this.count())}, step ${grouped(this.told.steps[step])}, ` +
      `on ${TESTS[test]}: contrast gain ${value("contrast")}, ${kept}E_B ${value("e_b")} grey levels.`;
  }

  state() {
    const values = Object.fromEntries(Object.keys(MEASURES).map((key) => [key, this.value(key)]));
    return { ...this.settings, count: this.count(), ...values };
  }
}

/**
 * Mounts the explorer in an element. `told` is what `explorer.py` says: {folder, glossary, batch,
 * steps, pictures: names, ranges: {name: {counts, unseen, seen: {measure: [n][step],
 * rejection: [n]}, inputs: {unseen, seen, clean: [file]},
 * outputs: [n]{unseen, seen: {step: [file]}}}}}.
 */
export function mount(element, told) {
  const panel = new Explorer(element, told);
  element.rlExplorer = { set: (changes) => panel.set(changes), state: () => panel.state() };
  return element.rlExplorer;
}

/** Mounts it wherever the page has room for one. */
export function mountAll(told) {
  for (const element of document.querySelectorAll(".rl-explorer")) mount(element, told);
}
