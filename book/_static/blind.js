// The reader judges: two stored outputs at a time, without names, in an order that is drawn here.
// The answers stay in this browser; the arithmetic is that of rainlens.judging.reader.
//
// A classic script, no module: browsers refuse to load a module into a page opened as a file.
// Sections: 1 chance, 2 arithmetic, 3 answers, 4 markup, 5 panel.

"use strict";

(() => {
  const KEY = "rainlens-blind"; // of what the browser keeps
  const FORMAT = 1;
  const NEITHER = "neither";
  const CHOICES = ["a", "b", NEITHER];
  const QUESTIONS = {
    less: "Which picture shows less rain?",
    keep: "Which picture would you keep?",
  };
  const PICTURES = "../_static/blind/";
  const HELD = 400; // milliseconds after which a press was held, not tapped

  // -------------------------------------------------------------------------------------------
  // 1  Chance: a seed decides the order of the pairs, and which picture is on the left

  /** Mulberry32: numbers in [0, 1), the same ones for the same seed. */
  function chance(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  /** [{pair, first}]: all pairs in the order they are shown, and the picture on the left. */
  function drawn(pairs, seed) {
    const random = chance(seed);
    const order = [...pairs];
    for (let last = order.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
    return order.map((pair) => ({ pair, first: random() < 0.5 ? "a" : "b" }));
  }

  // -------------------------------------------------------------------------------------------
  // 2  Arithmetic

  const Z = 1.959963984540054; // 95 % of a normal distribution lie within so many deviations

  /** A count of so many, with its fraction and the 95 % interval of Wilson; null for none. */
  function share(count, of) {
    if (of === 0) return { count, of, value: null, low: null, high: null };
    const value = count / of;
    const weight = (Z * Z) / of;
    const centre = (value + weight / 2) / (1 + weight);
    const reach = (Z / (1 + weight)) * Math.sqrt((value * (1 - value)) / of + weight / 4 / of);
    const low = Math.min(value, centre - reach);
    return { count, of, value, low, high: Math.max(value, centre + reach) };
  }

  /** The picture that a measure points to, or null. */
  function pointed({ sign, least }, a, b) {
    if (a === null || b === null || a === b || Math.abs(a - b) < least) return null;
    return sign * (a - b) > 0 ? "a" : "b";
  }

  /** How often each measure points to the picture that the reader chose. */
  function agreement({ measures, pairs }, answers) {
    const named = Object.fromEntries(pairs.map((pair) => [pair.name, pair]));
    const of = (question) =>
      Object.fromEntries(
        Object.entries(measures).map(([name, measure]) => {
          const choices = answers.map((answer) => {
            const { a, b } = named[answer.pair];
            return [answer[question], pointed(measure, a.values[name], b.values[name])];
          });
          const made = choices.filter(([ours, theirs]) => ours !== NEITHER && theirs !== null);
          return [name, share(made.filter(([ours, theirs]) => ours === theirs).length, made.length)];
        }),
      );
    const both = answers.filter(({ less, keep }) => less !== NEITHER && keep !== NEITHER);
    const chosen = answers
      .flatMap(({ first, less, keep }) => [[less, first], [keep, first]])
      .filter(([choice]) => choice !== NEITHER);
    return {
      less: of("less"),
      keep: of("keep"),
      differed: share(both.filter(({ less, keep }) => less !== keep).length, both.length),
      left: share(chosen.filter(([choice, first]) => choice === first).length, chosen.length),
    };
  }

  // -------------------------------------------------------------------------------------------
  // 3  Answers: {seed, answers: [{pair, first, less, keep}]}, the last one perhaps without `keep`

  function begin() {
    return { seed: crypto.getRandomValues(new Uint32Array(1))[0], answers: [] };
  }

  /** What this browser has kept of these pairs, or null. */
  function kept(manifest) {
    try {
      const { pairs, seed, answers } = JSON.parse(localStorage.getItem(KEY));
      const order = drawn(manifest.pairs, seed);
      const whole = answers.every(
        ({ pair, first, less, keep }, at) =>
          pair === order[at].pair.name && first === order[at].first && CHOICES.includes(less) &&
          (CHOICES.includes(keep) || (keep === undefined && at === answers.length - 1)),
      );
      const isSeed = Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32;
      return pairs === manifest.digest && isSeed && whole ? { seed, answers } : null;
    } catch {
      return null; // nothing there, of another form, or a browser that keeps nothing
    }
  }

  /** Keeps the answers; whether the browser does. */
  function keep(saved) {
    try {
      localStorage.setItem(KEY, JSON.stringify(saved));
      return true;
    } catch {
      return false;
    }
  }

  // -------------------------------------------------------------------------------------------
  // 4  Markup

  /** @returns {any} an element; attributes that are null are left out */
  function h(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  }

  function button(text, act, attributes = {}) {
    const node = h("button", { type: "button", ...attributes }, ...[text].flat());
    node.addEventListener("click", act);
    return node;
  }

  function picture(file, alt, attributes = {}) {
    return h("img", { src: PICTURES + file, alt, width: 192, height: 192, ...attributes });
  }

  const hidden = (text) => h("span", { "aria-hidden": "true" }, text);

  /** Text in which E_R and E_B have their subscripts. */
  function withSubscripts(text) {
    return text.split(/(E_[RB])/).map((part) =>
      /^E_[RB]$/.test(part) ? h("span", {}, h("i", {}, "E"), h("sub", {}, part[2])) : part,
    );
  }

  const percent = (fraction) => Math.round(100 * fraction);
  const countOf = (pairs) => (pairs === 1 ? "1 pair" : `${pairs} pairs`);

  function cell({ count, of, value, low, high }) {
    if (of === 0) return h("td", {}, "no pair");
    // No-break spaces: a narrow cell breaks before the bracket alone.
    const interval = `(${percent(low)} to ${percent(high)})`.replaceAll(" ", "\u00a0");
    const fraction = `${percent(value)}\u00a0%`;
    return h("td", {}, `${count} of ${of}`, h("small", {}, `${fraction} ${interval}`));
  }

  // -------------------------------------------------------------------------------------------
  // 5  Panel

  class Panel {
    constructor(root, manifest) {
      this.root = root;
      this.manifest = manifest;
      this.live = h("p", { class: "rl-unseen", role: "status" });
      this.screen = h("div");
      root.tabIndex = -1; // a click beside the buttons leaves the keys at work
      root.replaceChildren(this.screen, this.live);
      root.addEventListener("keydown", (event) => this.press(event));
      this.saved = kept(manifest) ?? begin();
      this.order = drawn(manifest.pairs, this.saved.seed);
      if (this.isDone) this.finish();
      else this.welcome();
    }

    get isDone() {
      return this.place === this.order.length;
    }

    /** How many pairs have both answers: the place of the pair that is shown. */
    get place() {
      return this.saved.answers.filter((answer) => answer.keep !== undefined).length;
    }

    get question() {
      return this.saved.answers.length > this.place ? "keep" : "less";
    }

    show(...nodes) {
      this.asking = null;
      this.live.textContent = "";
      this.screen.replaceChildren(...nodes);
    }

    // ---- before

    welcome() {
      const { length } = this.order;
      const begun = this.saved.answers.length > 0;
      const told = begun
        ? `You have judged ${this.place} of ${length} pairs in this browser.`
        : `${length} pairs, two questions each; about five minutes.`;
      const start = button(begun ? "Go on" : "Start", () => this.ask(), { class: "rl-main" });
      const buttons = [start];
      if (begun) buttons.push(button("Start again", () => this.restart()));
      this.show(h("p", {}, told), h("div", { class: "rl-row" }, ...buttons));
    }

    restart() {
      this.saved = begin();
      this.order = drawn(this.manifest.pairs, this.saved.seed);
      this.ask();
      this.store();
    }

    // ---- a pair

    /** Builds the screen of questions, which stays until the end, and goes there. */
    ask() {
      this.heading = h("h2", { tabindex: "-1" });
      this.progress = h("p", { class: "rl-progress" });
      this.bar = h("progress", { max: 2 * this.order.length, "aria-hidden": "true" });
      this.pictures = h("div", { class: "rl-pictures" });
      this.rainy = button([hidden("↑ "), "Show the rainy picture"], (event) => this.release(event), {
        "aria-pressed": "false",
      });
      this.rainy.addEventListener("pointerdown", () => {
        this.pressed = { at: performance.now(), wasShown: this.isRainy };
        this.showRainy(true);
      });
      this.rainy.addEventListener("pointercancel", () => this.showRainy(this.pressed.wasShown));
      this.back = button([hidden("⌫ "), "Back"], () => this.undo());
      this.unkept = h("p", { class: "rl-unkept", hidden: "" },
        "This browser keeps nothing for this page: do not reload it before you have finished.");
      const choices = h(
        "div",
        { class: "rl-choices", role: "group", "aria-label": "Your choice" },
        button("← A", () => this.choose("left"), { "aria-label": "A, on the left" }),
        button("B →", () => this.choose("right"), { "aria-label": "B, on the right" }),
        button([hidden("↓ "), "Cannot tell"], () => this.choose(NEITHER)),
      );
      this.show(this.progress, this.bar, this.heading, this.pictures, choices,
        h("div", { class: "rl-row" }, this.rainy, this.back), this.unkept);
      this.asking = true;
      this.update();
      this.heading.focus({ preventScroll: true });
      this.root.scrollIntoView({ block: "nearest" });
    }

    /** Shows the question that comes next. */
    update() {
      const { place, question, order } = this;
      const { pair, first } = order[place];
      const number = `Pair ${place + 1} of ${order.length}`;
      const step = question === "less" ? 1 : 2;
      this.progress.textContent = `${number}, question ${step} of 2`;
      this.bar.value = 2 * place + step - 1;
      this.heading.textContent = QUESTIONS[question];
      this.back.disabled = this.saved.answers.length === 0;
      if (this.shown !== pair || !this.pictures.firstChild) {
        this.shown = pair;
        const sides = [pair[first], pair[first === "a" ? "b" : "a"]];
        this.pictures.replaceChildren(...sides.map((side, at) => this.side(side, at, place + 1)));
        this.preload(order[place + 1]?.pair);
      }
      this.showRainy(false);
    }

    side({ picture: file }, at, number) {
      const letter = "AB"[at];
      const rainy = at === 0 ? `rainy picture of pair ${number}` : "";
      return h(
        "figure",
        {},
        picture(file, `picture ${letter} of pair ${number}`, { class: "rl-output" }),
        picture(this.shown.rainy, rainy, { class: "rl-rainy", hidden: "" }),
        h("figcaption", { "aria-hidden": "true" }, letter),
      );
    }

    preload(pair) {
      for (const side of pair ? [pair.a, pair.b] : []) new Image().src = PICTURES + side.picture;
    }

    choose(where) {
      const { pair, first } = this.order[this.place];
      const other = first === "a" ? "b" : "a";
      const choice = where === NEITHER ? NEITHER : where === "left" ? first : other;
      if (this.question === "less") this.saved.answers.push({ pair: pair.name, first, less: choice });
      else this.saved.answers.at(-1).keep = choice;
      this.store();
      if (this.isDone) {
        this.finish();
        this.heading.focus();
      } else this.announce();
    }

    /** Takes the last answer back. */
    undo() {
      const last = this.saved.answers.at(-1);
      if (last === undefined) return;
      if (last.keep === undefined) this.saved.answers.pop();
      else delete last.keep;
      this.store();
      if (this.asking) this.announce();
      else this.ask();
    }

    announce() {
      const back = document.activeElement === this.back;
      this.update();
      // A button that is switched off would drop the focus.
      if (back && this.back.disabled) this.heading.focus({ preventScroll: true });
      this.live.textContent = `${this.progress.textContent}. ${this.heading.textContent}`;
    }

    store() {
      this.unkept.hidden = keep({ pairs: this.manifest.digest, ...this.saved });
    }

    // ---- the rainy picture, for as long as the button is held, or until it is pressed again

    get isRainy() {
      return this.rainy.getAttribute("aria-pressed") === "true";
    }

    showRainy(isShown) {
      this.rainy.setAttribute("aria-pressed", String(isShown));
      for (const image of this.pictures.querySelectorAll("img")) {
        image.hidden = image.classList.contains("rl-rainy") !== isShown;
      }
    }

    release({ detail }) {
      if (detail === 0) return this.showRainy(!this.isRainy); // by a key or a screen reader
      const isHeld = performance.now() - this.pressed.at > HELD;
      this.showRainy(!isHeld && !this.pressed.wasShown);
    }

    press(event) {
      if (!this.asking || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const acts = {
        ArrowLeft: () => this.choose("left"),
        ArrowRight: () => this.choose("right"),
        ArrowDown: () => this.choose(NEITHER),
        ArrowUp: () => this.showRainy(!this.isRainy),
        Backspace: () => this.undo(),
      };
      if (!(event.key in acts)) return;
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) acts[event.key]();
    }

    // ---- the end

    finish() {
      const found = agreement(this.manifest, this.saved.answers);
      this.heading = h("h2", { tabindex: "-1" }, "What you chose");
      this.unkept = h("p");
      this.show(
        this.heading,
        ...this.sentences(found).map((text) => h("p", {}, text)),
        this.table(found),
        h("p", {}, this.caution(found)),
        h("div", { class: "rl-row" },
          button("Save my answers (JSON)", () => this.save(), { class: "rl-main" }),
          button("Start again", () => this.restart()),
          button("Back to the last question", () => this.undo())),
        h("h3", {}, "What the pairs showed"),
        h("ul", { class: "rl-reveal" }, ...this.order.map((one, at) => this.reveal(one, at))),
      );
    }

    sentences({ differed, left }) {
      const told = [];
      if (differed.of) {
        told.push(
          `For ${countOf(differed.of)} you chose a picture in both questions; in ${differed.count} of ` +
            "these it was not the same picture both times.",
        );
      }
      if (left.of) {
        told.push(
          `The picture on the left was your choice in ${left.count} of ${left.of} answers; sides ` +
            "were drawn by chance.",
        );
      }
      return told;
    }

    table({ less, keep }) {
      const head = (text) => h("th", { scope: "col" }, text);
      const rows = Object.entries(this.manifest.measures).map(([name, { label }]) => {
        const title = h("th", { scope: "row" }, ...withSubscripts(label));
        return h("tr", {}, title, cell(less[name]), cell(keep[name]));
      });
      return h(
        "table",
        { class: "rl-agreement" },
        h("caption", {}, "How often a measure points to the picture that you chose; in brackets, the ",
          "95 % interval. Pairs that you or the measure left open are not counted."),
        h("thead", {}, h("tr", {}, head("Measure"), head("Less rain"), head("Keep"))),
        h("tbody", {}, ...rows),
      );
    }

    caution({ less, keep }) {
      const all = [...Object.values(less), ...Object.values(keep)].filter(({ of }) => of > 0);
      if (all.length === 0) return "You left all pairs open, so there is nothing to compare.";
      const { count, of, low, high } = all[0];
      return (
        `So few pairs say little: ${count} of ${of} fits a true share from ${percent(low)} to ` +
        `${percent(high)} %. Only where an interval leaves out 50 % do you and a measure agree ` +
        "more often, or less often, than by chance; among so many rows, one may do so by luck."
      );
    }

    reveal({ pair, first }, at) {
      const answer = this.saved.answers[at];
      const sides = [first, first === "a" ? "b" : "a"].map((side, which) => {
        const yours = [
          ...(answer.less === side ? ["you saw less rain here"] : []),
          ...(answer.keep === side ? ["you would keep it"] : []),
        ].join("; ");
        const letter = "AB"[which];
        const alt = `picture ${letter} of pair ${at + 1}`;
        return h("figure", {},
          picture(pair[side].picture, alt, { loading: "lazy" }),
          h("figcaption", {}, `${letter}: ${pair[side].maker}`, yours ? h("b", {}, yours) : ""));
      });
      return h("li", {}, h("p", {}, `Pair ${at + 1}`), h("div", { class: "rl-pictures" }, ...sides));
    }

    save() {
      const told = { format: FORMAT, pairs: this.manifest.digest, ...this.saved };
      const file = new Blob([JSON.stringify(told, null, 1)], { type: "application/json" });
      const link = h("a", { href: URL.createObjectURL(file), download: "rainlens-verdicts.json" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }
  }

  // -------------------------------------------------------------------------------------------

  const root = /** @type {any} */ (document.querySelector(".rl-judge"));
  const manifest = /** @type {any} */ (globalThis).rainlensPairs;
  if (root && manifest?.pairs.length) {
    root.rlJudge = { panel: new Panel(root, manifest), agreement, drawn };
  } else if (root) {
    root.textContent = "The outputs to compare are not recorded in this copy of the book.";
  }
})();
