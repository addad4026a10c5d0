// The trainer: the reader trains a toy network in the browser, and sees what becomes of it.
//
// A classic script is made of this module (`trainer_lab.py`), so that it runs on a page opened as a
// file, too. The training is a worker's, which is started by the first press on "Train".

import { h } from "./elements.js";
import { Bench } from "./lab_bench.js";
import { button, choice, group, measured, row, soft } from "./lab_parts.js";
import { STYLE } from "./lab_style.js";
import { chart, drawErrors, drawFit } from "./trainer_charts.js";
import { PLAN, WIDTHS } from "./trainer_plan.js";
import { judged, LINE, otherOrder, testBatch, wave } from "./trainer_signals.js";
import { TRAINER_STYLE } from "./trainer_style.js";
import { about, LEGEND, result, said, status, TESTS, thousands, titled } from "./trainer_words.js";

const ORDERS = [1, 2, 3, 4, 5, 6, 7, 8];
const MOST_RUNS = 8; // in the table
const CALM = 1500; // milliseconds between two pictures, for readers who asked for less motion
const SPOKEN = 4; // times in a training that a screen reader is told of it

/** What the reader sees and touches. See `mount` for what it is given. */
class TrainerPanel extends Bench {
  constructor(element, told) {
    super(element, told);
    this.groups = `rl-trainer-${document.querySelectorAll(".rl-trainer.rl-lab-live").length}`;
    this.plan = told.plan ?? PLAN;
    this.settings = { order: 1, channels: 8, test: "noise" };
    this.runs = [];
    this.build();
    this.settle("idle");
    this.show();
  }

  // ---- building

  build() {
    this.pick = { order: {}, channels: {}, test: {} };
    this.status = h("p", { class: "rl-status" });
    const { steps: max } = this.plan;
    this.bar = h("progress", { max, value: 0, "aria-label": "Steps of the training" });
    this.startButton = button("Train", () => this.train());
    this.startButton.classList.add("rl-go", "rl-start");
    this.haltButton = button("Stop", () => this.halt());
    this.haltButton.classList.add("rl-go");
    const orders = this.choices("order", ORDERS.map((order) => [order, `${order}`]), Number);
    const widths = Object.keys(WIDTHS).map((width) => [width, `${width} channels`]);
    const orderGroup = group("Order O of the curve to train on", orders);
    orderGroup.classList.add("rl-order");
    this.element.classList.add("rl-lab-live");
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Train a toy network");
    this.element.replaceChildren(
      h("style", {}, STYLE + TRAINER_STYLE),
      h("div", { class: "rl-column" },
        h("div", { class: "rl-bench" }, orderGroup,
          group("Width of the network", this.choices("channels", widths, Number))),
        row(this.startButton, this.haltButton, this.bar), this.status, this.notice,
        group("Also test it on", this.choices("test", Object.entries(TESTS), String)),
        this.charts(), this.table(), soft(about(this.told.chapter, this.plan))),
      this.live);
  }

  choices(name, texts, read) {
    return row(...texts.map(([value, words]) => {
      const label = name === "order" ? `O = ${value}` : "";
      const one = choice(`${this.groups}-${name}`, value, words, label, () =>
        this.set({ [name]: read(value) }));
      this.pick[name][value] = one.input;
      return one.box;
    }));
  }

  charts() {
    this.keys = {};
    this.fits = { own: chart("Not trained yet"), strange: chart("Not trained yet") };
    this.titles = { own: h("p"), strange: h("p") };
    this.errors = chart("Errors along the training, none yet");
    const part = (...children) => h("div", { class: "rl-part" }, ...children);
    return h("div", { class: "rl-charts" },
      ...["own", "strange"].map((name) => part(this.titles[name], this.fits[name])),
      part(this.legend(["dots", "output", "truth", "trained"]), this.numbers()),
      part(h("p", {}, h("strong", {}, "Errors along the training")), this.errors,
        this.legend(["learnt", "strange", "before"])));
  }

  legend(names) {
    return h("div", { class: "rl-legend", "aria-hidden": "true" }, ...names.map((name) => {
      const swatch = h("svg:svg", { viewBox: "0 0 26 12", class: "rl-chart" });
      const d = name === "dots" ? "M3 8h0M10 4h0M17 9h0M23 5h0" : "M1 6H25";
      const kind = name === "before" ? "rl-before rl-learnt" : `rl-${name}`;
      swatch.append(h("svg:path", { class: kind, d }));
      this.keys[name] = h("span", {}, swatch, LEGEND[name]);
      return this.keys[name];
    }));
  }

  numbers() {
    this.fields = {};
    const one = (key, name) => {
      const { value, about, row } = measured(name);
      Object.assign(this.fields, { [key]: value, [`${key}About`]: about });
      return row;
    };
    return h("dl", {}, one("own", "error as trained"), one("strange", "error in the other test"));
  }

  table() {
    const head = h("tr", {}, ...["run", "as trained", "N(10,\u00a05)", "other cosine", "triangle"]
      .map((name) => h("th", { scope: "col" }, name)));
    this.rows = h("tbody");
    this.list = h("table", { class: "rl-runs", hidden: "" },
      h("caption", {}, "Your networks, and their errors"), h("thead", {}, head), this.rows);
    return this.list;
  }

  // ---- training

  /** Begins a new training with what is set; that under way is left as it is. */
  train() {
    const { order, channels } = this.settings;
    const seed = this.told.seed ?? Math.floor(Math.random() * 2 ** 32);
    this.run = { job: (this.run?.job ?? 0) + 1, order, channels, seed };
    this.runs = [...this.runs, this.run].slice(-MOST_RUNS);
    this.addRow(this.run);
    this.refresh();
  }

  /** Asks the worker for the run from its beginning; starts the worker, where there is none. */
  refresh() {
    if (!this.worker) return this.start();
    const { job, order, channels, seed } = this.run;
    const curves = { steps: [], errors: {} };
    Object.assign(this.run, { step: 0, spoken: 0, isOver: false, curves });
    this.worker.postMessage({ kind: "train", job, order, channels, seed, plan: this.plan });
    this.settle("training");
    this.show();
    this.announce(() => `Training on order ${order}, ${channels} channels.`);
  }

  /** Stops the training, or goes on with it. */
  halt() {
    const isOn = this.element.dataset.rlStatus === "training";
    this.worker.postMessage({ kind: isOn ? "stop" : "go" });
    this.settle(isOn ? "stopped" : "training");
    this.show();
    this.announce(() => this.spoken(isOn ? "Stopped" : "Going on"));
  }

  hear({ kind, job, ...told }) {
    if (job !== this.run.job) return;
    if (kind === "error") return this.fail(new Error(`This did not work: ${told.error}.`));
    const { run } = this;
    Object.assign(run, told);
    run.curves.steps.push(told.step);
    for (const [name, { error }] of Object.entries(told.tests)) {
      (run.curves.errors[name] ??= []).push(error);
    }
    if (told.isOver) this.settle("ready");
    this.speak();
    this.schedule();
  }

  fail(error) {
    this.worker.terminate();
    this.worker = null;
    super.fail(error);
    this.show();
  }

  /** Tells a screen reader of each quarter and of the end. */
  speak() {
    const part = Math.floor((SPOKEN * this.run.step) / this.plan.steps);
    if (part <= this.run.spoken) return;
    this.run.spoken = part;
    this.announce(() => this.spoken(this.run.isOver ? "Trained" : "Training"));
  }

  spoken(word) {
    const { step, tests } = this.run;
    if (!tests) return `${word}.`;
    return `${word}, step ${thousands(step)} of ${thousands(this.plan.steps)}. Error as trained ` +
      `${said(tests.own.error)}, ${TESTS[this.settings.test]}: ` +
      `${said(tests[this.settings.test].error)}.`;
  }

  set(changes) {
    Object.assign(this.settings, changes);
    this.show();
  }

  // ---- showing

  /** Draws with the next frame; rarely, where the reader asked for less motion. */
  schedule() {
    const { isOver } = this.run;
    if (this.waiting && !isOver) return;
    const isCalm = !isOver && matchMedia("(prefers-reduced-motion: reduce)").matches;
    const wait = isCalm ? CALM - (performance.now() - (this.drawn ?? -CALM)) : 0;
    this.waiting = true;
    setTimeout(() => requestAnimationFrame(() => {
      this.waiting = false;
      this.show();
    }), Math.max(0, wait));
  }

  show() {
    this.drawn = performance.now();
    const { run, settings } = this;
    for (const [name, inputs] of Object.entries(this.pick)) {
      for (const [value, input] of Object.entries(inputs)) {
        input.checked = value === `${settings[name]}`;
      }
    }
    const state = this.element.dataset.rlStatus;
    this.startButton.textContent = run ? "Train anew" : "Train";
    this.haltButton.textContent = state === "stopped" ? "Go on" : "Stop";
    this.haltButton.disabled = !["training", "stopped"].includes(state);
    this.bar.value = run?.step ?? 0;
    this.status.textContent = status(state, run, settings, this.plan.steps);
    this.showFits();
    this.showErrors();
    this.showRow();
  }

  /** The last run; before the first, the tests of the order that is set, without an answer. */
  showFits() {
    const { test } = this.settings;
    const order = this.run?.tests ? this.run.order : this.settings.order;
    const held = this.run?.tests ?? untrained(order);
    const trained = LINE.map(wave(order));
    this.keys.trained.hidden = test === "noise";
    for (const [name, which] of [["own", "own"], ["strange", test]]) {
      const isOther = which === "cosine" || which === "triangle";
      const highest = which === "noise" ? 33 : 15;
      const one = { ...held[which], x: LINE, trained: isOther ? trained : null };
      if (!this.run?.tests) one.output = null;
      drawFit(this.fits[name], one, highest);
      this.titles[name].replaceChildren(...titled(which, order, otherOrder(order)));
      const words = this.run?.tests ? result(which, held[which]) : "";
      this.fits[name].setAttribute("aria-label",
        `${this.titles[name].textContent} ${words || "Nothing is trained yet."}`);
      this.fields[name].textContent = this.run?.tests ? said(held[which].error) : "–";
      this.fields[`${name}About`].textContent = words;
    }
  }

  /** Errors of the last run, and thin, of the one before. */
  showErrors() {
    const { test } = this.settings;
    const lines = this.runs.slice(-2).flatMap((run) => {
      const isBefore = run !== this.run;
      return [["strange", test], ["learnt", "own"]].map(([name, which]) => ({
        steps: run.curves.steps, errors: run.curves.errors[which] ?? [],
        name: `rl-${name}${isBefore ? " rl-before" : ""}`,
      }));
    });
    this.keys.before.hidden = this.runs.length < 2;
    drawErrors(this.errors, lines, this.plan.steps);
    const { errors } = this.run?.curves ?? { errors: {} };
    const course = (name) => (errors[name]
      ? `from ${said(errors[name][0])} to ${said(errors[name].at(-1))}` : "none yet");
    this.errors.setAttribute("aria-label", "Errors along the training: as trained " +
      `${course("own")}, in the other test ${course(test)}`);
  }

  addRow(run) {
    const cells = Array.from({ length: 4 }, () => h("td", {}, "–"));
    const steps = h("small");
    const name = h("th", { scope: "row" }, `O = ${run.order}`, steps);
    const line = h("tr", {}, name, ...cells);
    Object.assign(run, { cells, steps });
    this.rows.append(line);
    while (this.rows.children.length > MOST_RUNS) this.rows.firstChild.remove();
    this.list.hidden = false;
  }

  showRow() {
    const { run } = this;
    if (!run) return;
    run.steps.textContent = `${run.channels} channels, ${thousands(run.step)} steps`;
    if (!run.tests) return;
    Object.values(run.tests).forEach(({ error }, i) => (run.cells[i].textContent = said(error)));
  }

  // ---- for tests

  state() {
    const { step, isOver, order, channels, curves, tests } = this.run ?? {};
    const plain = Object.entries(tests ?? {}).map(([name, { error, fromTrained, output }]) =>
      [name, { error, fromTrained, output: Array.from(output) }]);
    return { ...this.settings, runs: this.runs.length, tests: Object.fromEntries(plain),
      run: { step, isOver, order, channels, curves } };
  }
}

/** The inputs of the tests, with which a chart begins. */
function untrained(order) {
  const batch = testBatch(order);
  return judged(order, batch, batch.noisy);
}

/**
 * Puts the trainer into `element`; its handle, also found as `element.rlTrainer`: {set(changes),
 * state()}. `told` is what `trainer_lab.py` says: {worker: its script, chapter: how the chapter's
 * networks were trained}, and for tests `seed` and `plan`.
 */
export function mount(element, told) {
  const panel = new TrainerPanel(element, told);
  element.rlTrainer = { set: (changes) => panel.set(changes), state: () => panel.state() };
  return element.rlTrainer;
}

/** Mounts the trainer wherever the page has room for one. */
export function mountAll(told) {
  for (const element of document.querySelectorAll(".rl-trainer")) mount(element, told);
}
