// The toy task, live: real trained networks denoise a signal that the reader chooses or draws.
//
// One file, two hosts. In a notebook anywidget calls the default export's `render`; on a static
// page a module script calls `mount(element)`. Nothing is loaded but the networks' weights.
// Sections: 1 weights, 2 network, 3 signals, 4 loading, 5 markup, 6 plot, 7 panel, 8 hosts.

// ---------------------------------------------------------------------------------------------
// 1  Weights: the safetensors format (8 bytes of header length, a JSON header, raw data)

import { readWeights } from "./safetensors.js";

// ---------------------------------------------------------------------------------------------
// 2  Network: Conv1d layers of kernel 7, Leaky ReLU after each but the last

import { convolve, packLayer, REACH } from "./conv1d.js";

/** Builds a network from a weight file: {order, noise, layers, slope, padding}. */
export function readNetwork(source) {
  const { metadata, tensors } = readWeights(source);
  const layers = [];
  while (tensors[`conv${layers.length}.weight`]) {
    const name = `conv${layers.length}`;
    layers.push(packLayer(tensors[`${name}.weight`], tensors[`${name}.bias`]));
  }
  if (layers.length === 0) throw new Error("it holds no layers");
  return {
    layers,
    order: Number(metadata.order ?? 1),
    noise: { mean: Number(metadata.noise_mean ?? 0), spread: Number(metadata.noise_std ?? 1) },
    slope: Number(metadata.slope ?? 0.01),
    padding: metadata.padding ?? "zeros",
  };
}

/** Fills the three places at each end of every row with zeros or with the row's end value. */
function padRows(rows, count, points, padding) {
  const stride = points + 2 * REACH;
  for (let start = 0; start < count * stride; start += stride) {
    const last = start + REACH + points - 1;
    const keep = padding === "replicate" ? 1 : 0;
    rows.fill(keep * rows[start + REACH], start, start + REACH);
    rows.fill(keep * rows[last], last + 1, last + 1 + REACH);
  }
}

/** Runs the network on the points (x, y) and returns its second output channel, the signal. */
export function infer(network, x, y) {
  const points = x.length;
  const stride = points + 2 * REACH;
  const widest = Math.max(...network.layers.map((layer) => 2 * layer.pairs));
  const size = Math.max(widest, 2) * stride;
  if (network.buffers?.[0].length !== size) {
    network.buffers = [new Float32Array(size), new Float32Array(size)];
  }
  let [source, target] = network.buffers;
  source.set(x, REACH);
  source.set(y, stride + REACH);
  network.layers.forEach((layer, index) => {
    padRows(source, layer.inputs, points, network.padding);
    const last = index === network.layers.length - 1;
    convolve(layer, source, target, points, last ? 1 : network.slope);
    [source, target] = [target, source];
  });
  return source.slice(stride + REACH, stride + REACH + points);
}

// ---------------------------------------------------------------------------------------------
// 3  Signals and noise

const cosine = (order) => (x) => 10 * Math.cos((order * Math.PI * x) / 10);

/** Signals no network was trained on, each within -10 and 10 as the cosines are. */
const SHAPES = {
  line: (x) => x,
  step: (x) => (x < 0 ? -7 : 7),
  triangle: (x) => 10 - 4 * Math.abs(((x + 10) % 10) - 5),
  sawtooth: (x) => 3 * ((x + 10) % (20 / 3)) - 10,
  zero: () => 0,
};

import { normalsFrom, uniforms } from "./uniforms.js";

/** Standard normal numbers, the same ones for the same seed. */
export function normals(seed, count) {
  return Float32Array.from({ length: count }, normalsFrom(uniforms(seed)));
}

const meanSquare = (a, b) => a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;

// ---------------------------------------------------------------------------------------------
// 4  Loading

const fileName = (url) => url.split(/[?#]/)[0].split("/").pop();

/** Loads `url` + ".js", the weight file as a classic script: the one thing file: pages may load. */
function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${url}.js`;
    script.onload = () => {
      script.remove();
      const text = globalThis.rainlensToyWeights?.[fileName(url)];
      if (!text) return reject(new Error("it is empty"));
      resolve(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
    };
    script.onerror = () => {
      script.remove();
      reject(new Error("blocked"));
    };
    document.head.append(script);
  });
}

async function fetchBytes(url) {
  if (new URL(url, document.baseURI).protocol === "file:") {
    return loadScript(url).catch(() => {
      throw new Error(
        "This page was opened as a file, and the browser does not let it read the networks: " +
          "read the book online, or serve its folder with “python -m http.server”.",
      );
    });
  }
  const response = await fetch(url).catch(() => null);
  if (response?.ok) return response.arrayBuffer();
  const reason = response ? `the server answered ${response.status}` : "no connection";
  throw new Error(
    `The network’s weights ${fileName(url)} could not be loaded (${reason}): please try again.`,
  );
}

/** Turns a weight source (URL or bytes) into a network; errors read as one clear sentence. */
async function loadNetwork(source) {
  const remote = typeof source === "string";
  const bytes = remote ? await fetchBytes(source) : source;
  try {
    return readNetwork(bytes);
  } catch (error) {
    const what = remote ? `file ${fileName(source)} is` : "bytes are";
    throw new Error(`The network’s weight ${what} damaged (${error.message}): load it again.`);
  }
}

// ---------------------------------------------------------------------------------------------
// 5  Markup and style

import { h } from "./elements.js";

// Every rule sits under .rl-toy. A page sets --rl-toy-... to change a colour.
const STYLE = `
.rl-toy {
  --_text: var(--rl-toy-text, #24292f); --_soft: var(--rl-toy-soft, #5d666f);
  --_line: var(--rl-toy-line, #d8dce0);
  --_page: var(--rl-toy-page, var(--pst-color-background, #ffffff));
  --_fill: var(--rl-toy-fill, #f3f4f6); --_truth: var(--rl-toy-truth, #1b1b1b);
  --_input: var(--rl-toy-input, #85898e); --_output: var(--rl-toy-output, #0072b2);
  --_band: var(--rl-toy-band, #e69f00); --_band-text: var(--rl-toy-band-text, #8a5a00);
  --_band-strength: 0.2; --_focus: var(--rl-toy-focus, #0072b2);
  container-type: inline-size; box-sizing: border-box; max-width: 100%; margin: 1.5rem 0;
  color: var(--_text); background: var(--_page); color-scheme: light;
  font: 400 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  border-block: 1px solid var(--_line); text-align: left;
}
.rl-toy[data-rl-theme="dark"] {
  --_text: var(--rl-toy-text, #e3e6e9); --_soft: var(--rl-toy-soft, #a3abb3);
  --_line: var(--rl-toy-line, #3d444b);
  --_page: var(--rl-toy-page, var(--pst-color-background, #121212));
  --_fill: var(--rl-toy-fill, #22272c); --_truth: var(--rl-toy-truth, #f2f2f2);
  --_input: var(--rl-toy-input, #8b939b); --_output: var(--rl-toy-output, #56b4e9);
  --_band-text: var(--rl-toy-band-text, #f0b840); --_band-strength: 0.22;
  --_focus: var(--rl-toy-focus, #56b4e9); color-scheme: dark;
}
.rl-toy *, .rl-toy *::before { box-sizing: border-box; }
.rl-toy .rl-body { display: grid; gap: 14px; padding: 14px 0 16px; }
.rl-toy .rl-row { display: flex; flex-wrap: wrap; align-items: center; gap: 7px; }
.rl-toy .rl-name { margin: 0 5px 0 0; font-size: 13px; color: var(--_soft); }
.rl-toy .rl-choices { display: contents; }
.rl-toy .rl-choice { position: relative; display: inline-flex; margin: 0; cursor: pointer; }
.rl-toy .rl-choice input {
  position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer;
}
.rl-toy .rl-choice span, .rl-toy button {
  display: inline-flex; align-items: center; justify-content: center; min-height: 40px;
  min-width: 44px; margin: 0; padding: 0 13px; font: inherit; font-size: 14px; line-height: 1;
  white-space: nowrap; color: var(--_text); background: var(--_page);
  border: 1px solid var(--_line); border-radius: 20px; box-shadow: none; cursor: pointer;
}
.rl-toy .rl-choice:hover span, .rl-toy button:hover { border-color: var(--_soft); }
.rl-toy button:active { background: var(--_fill); }
.rl-toy .rl-choice input:checked + span {
  color: var(--_page); background: var(--_text); border-color: var(--_text); font-weight: 600;
}
.rl-toy .rl-choice input:focus-visible + span, .rl-toy button:focus-visible,
.rl-toy input[type="range"]:focus-visible {
  outline: 3px solid var(--_focus); outline-offset: 2px;
}
.rl-toy input[type="range"]:focus-visible { outline-offset: -5px; border-radius: 16px; }
.rl-toy button[aria-disabled="true"] { opacity: 0.45; cursor: default; }
.rl-toy .rl-figure { position: relative; margin: 0; }
.rl-toy svg.rl-plot {
  display: block; width: 100%; height: 270px; overflow: hidden; cursor: crosshair;
  touch-action: pan-y pinch-zoom; user-select: none; -webkit-user-select: none;
}
.rl-toy svg text { font: 400 12px/1 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.rl-toy .rl-axis { fill: var(--_soft); }
.rl-toy .rl-grid { fill: none; stroke: var(--_line); stroke-width: 1; }
.rl-toy .rl-band { fill: var(--_band); fill-opacity: var(--_band-strength); stroke: none; }
.rl-toy .rl-edge { fill: none; stroke: var(--_band); stroke-width: 1; stroke-opacity: 0.75; }
.rl-toy .rl-dots { fill: none; stroke: var(--_input); stroke-width: 4; stroke-linecap: round; }
.rl-toy .rl-halo, .rl-toy .rl-output, .rl-toy .rl-truth {
  fill: none; stroke-linejoin: round; stroke-linecap: round;
}
.rl-toy .rl-halo { stroke: var(--_page); stroke-width: 5.5; stroke-opacity: 0.8; }
.rl-toy .rl-output { stroke: var(--_output); stroke-width: 3; }
.rl-toy .rl-truth { stroke: var(--_truth); stroke-width: 1.75; stroke-dasharray: 5 5;
  stroke-linecap: butt; }
.rl-toy .rl-lead { fill: none; stroke: var(--_line); }
.rl-toy text.rl-of-output { fill: var(--_output); font-weight: 600; }
.rl-toy text.rl-of-truth { fill: var(--_truth); }
.rl-toy text.rl-of-dots { fill: var(--_soft); }
.rl-toy text.rl-of-band { fill: var(--_band-text); }
.rl-toy .rl-hint { fill: var(--_soft); stroke: var(--_page); stroke-width: 4;
  stroke-linejoin: round; paint-order: stroke; }
.rl-toy .rl-legend { display: flex; flex-wrap: wrap; gap: 2px 10px; font-size: 12px; }
.rl-toy .rl-legend span { display: inline-flex; align-items: center; gap: 4px; }
.rl-toy .rl-legend svg { display: block; width: 20px; height: 14px; }
.rl-toy .rl-notice {
  position: absolute; inset: 0; display: flex; flex-direction: column; gap: 10px;
  align-items: center; justify-content: center; padding: 12px 12px 30px; text-align: center;
  pointer-events: none;
}
.rl-toy .rl-notice[hidden] { display: none; }
.rl-toy .rl-notice p {
  max-width: 30rem; margin: 0; padding: 6px 12px; background: var(--_page);
  border: 1px solid var(--_line); border-radius: 6px;
}
.rl-toy .rl-notice button { pointer-events: auto; }
.rl-toy .rl-verdict { margin: 0; min-height: 2.9em; }
.rl-toy .rl-numbers { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 0 14px; }
.rl-toy .rl-number {
  display: flex; flex-direction: column; justify-content: space-between; padding-top: 7px;
  border-top: 1px solid var(--_line);
}
.rl-toy .rl-of { font-size: 13px; line-height: 1.3; color: var(--_soft); }
.rl-toy .rl-value {
  margin-top: 2px; font-size: 22px; line-height: 1.25; font-variant-numeric: tabular-nums;
}
.rl-toy .rl-sliders { display: grid; grid-template-columns: 1fr; gap: 2px 28px; }
.rl-toy .rl-slider {
  display: grid; grid-template-columns: 92px 1fr 68px; gap: 0 12px; align-items: center;
  margin: 0; font-size: 13px; color: var(--_soft);
}
.rl-toy .rl-slider output {
  color: var(--_text); text-align: right; font-variant-numeric: tabular-nums;
}
.rl-toy .rl-track { position: relative; display: block; height: 40px; }
.rl-toy .rl-mark {
  position: absolute; top: 7px; width: 2px; height: 26px; margin-left: -1px;
  background: var(--_band); pointer-events: none;
}
.rl-toy input[type="range"] {
  position: relative; display: block; width: 100%; height: 40px; margin: 0; padding: 0;
  background: none; border-radius: 6px; -webkit-appearance: none; appearance: none;
  cursor: pointer; touch-action: pan-y;
}
.rl-toy input[type="range"]::-webkit-slider-runnable-track { height: 3px; border-radius: 2px;
  background: var(--_line); }
.rl-toy input[type="range"]::-moz-range-track { height: 3px; border-radius: 2px;
  background: var(--_line); }
.rl-toy input[type="range"]::-webkit-slider-thumb { width: 20px; height: 20px; margin-top: -8.5px;
  border: 2px solid var(--_page); border-radius: 50%; background: var(--_text);
  -webkit-appearance: none; }
.rl-toy input[type="range"]::-moz-range-thumb { width: 16px; height: 16px;
  border: 2px solid var(--_page); border-radius: 50%; background: var(--_text); }
.rl-toy .rl-unseen { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
.rl-toy .rl-at-end, .rl-toy .rl-name.rl-spare { display: none; }
@container (min-width: 560px) {
  .rl-toy .rl-sliders { grid-template-columns: 1fr 1fr 1fr; }
  .rl-toy .rl-slider { grid-template-columns: 1fr auto; }
  .rl-toy .rl-track { grid-area: 2 / 1 / 3 / 3; }
  .rl-toy .rl-legend { display: none; }
  .rl-toy .rl-at-end { display: inline; }
  .rl-toy .rl-name.rl-spare { display: block; }
  .rl-toy .rl-verdict { min-height: 1.45em; }
  .rl-toy svg.rl-plot { height: 360px; }
}
@media (prefers-reduced-motion: no-preference) {
  .rl-toy .rl-choice span, .rl-toy button { transition: background-color 0.12s, color 0.12s; }
}
`;

const KEYS = { output: "output", truth: "truth", dots: "noisy input", band: "training data" };
const SWATCHES = {
  output: '<path class="rl-output" d="M2 7H18"/>',
  truth: '<path class="rl-truth" d="M0 7H20"/>',
  dots: '<path class="rl-dots" d="M3 9h0M10 4h0M17 8h0"/>',
  band: '<path class="rl-band" d="M0 1H20V13H0Z"/><path class="rl-edge" d="M0 1H20M0 13H20"/>',
};

/** A group of radio buttons that look like pills; `values` maps a value to its label. */
function choices(group, label, values, onPick) {
  const inputs = {};
  const box = h("div", { class: "rl-choices", role: "radiogroup", "aria-label": label });
  for (const [value, text] of values) {
    const input = h("input", { type: "radio", name: group, value });
    input.addEventListener("change", () => onPick(value));
    inputs[value] = input;
    box.append(h("label", { class: "rl-choice" }, input, h("span", {}, text)));
  }
  return { box, inputs };
}

/** A labelled slider with its value beside the label and a mark at the training setting. */
function slider({ label, min, max, step, symbol }, onInput) {
  const input = h("input", { type: "range", min, max, step, "aria-label": label });
  const value = h("output", {});
  const mark = h("span", { class: "rl-mark", title: "as in training" });
  input.addEventListener("input", () => onInput(Number(input.value)));
  const box = h(
    "label",
    { class: "rl-slider" },
    h("span", {}, label),
    h("span", { class: "rl-track" }, mark, input),
    value,
  );
  const show = (number, trained) => {
    input.value = number;
    value.textContent = `${symbol} = ${number}`.replace("-", "−");
    input.setAttribute("aria-valuetext", `${number}, trained on ${trained}`);
    const share = (trained - min) / (max - min);
    mark.style.left = `calc(${10 - 20 * share}px + ${100 * share}%)`;
  };
  return { box, input, show };
}

function button(label, onClick) {
  const node = h("button", { type: "button" }, label);
  node.addEventListener("click", () => {
    if (node.getAttribute("aria-disabled") !== "true") onClick();
  });
  return node;
}

/** Dark or light: what the page declares, else what the reader's system asks for. */
function darkTheme() {
  const [root, body] = [document.documentElement, document.body];
  const named = [root.dataset.theme, body.dataset.theme, root.getAttribute("theme")];
  if (named.includes("dark") || body.dataset.jpThemeLight === "false") return true;
  if (named.includes("light") || body.dataset.jpThemeLight === "true") return false;
  const code = body.dataset.vscodeThemeKind;
  return code ? code.includes("dark") : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Keeps `data-rl-theme` in step with the page; returns a function that stops doing so. */
function followTheme(element) {
  const update = () => (element.dataset.rlTheme = darkTheme() ? "dark" : "light");
  const media = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(update);
  const filter = ["data-theme", "theme", "data-jp-theme-light", "data-vscode-theme-kind"];
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: filter });
  }
  media.addEventListener("change", update);
  update();
  return () => {
    observer.disconnect();
    media.removeEventListener("change", update);
  };
}

// ---------------------------------------------------------------------------------------------
// 6  Plot

const EDGE = { top: 10, bottom: 24, left: 34 };
const LABELS_FROM = 560;

function linePath(xs, ys) {
  return xs.map((x, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${ys[i].toFixed(1)}`).join("");
}

/** Rounds outwards to fives, never closer than 15, so that the axis rests while noise changes. */
function axisRange(...curves) {
  let [low, high] = [-15, 15];
  for (const value of curves.flatMap((curve) => Array.from(curve ?? []))) {
    low = Math.min(low, Math.floor(value / 5) * 5);
    high = Math.max(high, Math.ceil(value / 5) * 5);
  }
  return [low, high];
}

/** Moves labels apart to at least `gap`, keeping their order and staying within the plot. */
function spreadOut(labels, gap, low, high) {
  // Near-equal heights keep a fixed order, or names would jump about as the noise changes.
  const rank = ({ y }) => Math.round(y / gap);
  labels.sort((a, b) => rank(a) - rank(b));
  labels.forEach((label, i) => {
    label.at = Math.max(label.y, i ? labels[i - 1].at + gap : low);
  });
  let limit = high;
  for (const label of [...labels].reverse()) {
    label.at = Math.min(label.at, limit);
    limit = label.at - gap;
  }
}

/** Owns the SVG. `draw(view)` shows {x, truth, input, output, centre, spread, hint}. */
class Plot {
  constructor() {
    this.parts = {};
    // Named from the start: it is drawn, and described, only once it comes into view.
    const label = "Plot of the signals, not drawn yet";
    this.svg = h("svg:svg", { class: "rl-plot", role: "img", "aria-label": label });
    for (const name of ["grid", "band", "edge", "dots", "halo", "output", "truth"]) {
      this.parts[name] = h("svg:path", { class: `rl-${name}` });
      this.svg.append(this.parts[name]);
    }
    this.axis = h("svg:g", { class: "rl-axis", "aria-hidden": "true" });
    this.ends = h("svg:g", { class: "rl-at-end", "aria-hidden": "true" });
    this.hint = h("svg:text", { class: "rl-hint", "aria-hidden": "true" });
    this.svg.append(this.axis, this.ends, this.hint);
    this.range = [-15, 15];
    this.frozen = false;
  }

  measure() {
    this.width = this.svg.clientWidth || 600;
    this.height = this.svg.clientHeight || 320;
    this.right = this.width - (this.width >= LABELS_FROM ? 96 : 8);
    this.bottom = this.height - EDGE.bottom;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
  }

  px(x) {
    return EDGE.left + ((x + 10) / 20) * (this.right - EDGE.left);
  }

  py(y) {
    const [low, high] = this.range;
    return this.bottom - ((y - low) / (high - low)) * (this.bottom - EDGE.top);
  }

  /** The point of the signal under a pointer event, kept within the axes. */
  locate(event) {
    const box = this.svg.getBoundingClientRect();
    const [low, high] = this.range;
    const across = (event.clientX - box.left - EDGE.left) / (this.right - EDGE.left);
    const up = (this.bottom - (event.clientY - box.top)) / (this.bottom - EDGE.top);
    const clamp = (share) => Math.min(1, Math.max(0, share));
    // A hand seldom meets the very edge: what comes near it counts as having reached it.
    const x = clamp(across) * 20 - 10;
    const reached = Math.abs(x) > 9.6 ? 10 * Math.sign(x) : x;
    return { x: reached, y: low + clamp(up) * (high - low) };
  }

  draw(view) {
    this.view = view;
    const goal = axisRange(view.truth, view.input, view.output);
    cancelAnimationFrame(this.frame);
    if (this.frozen || String(goal) === String(this.range)) return this.paint();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches || !this.painted) {
      this.range = goal;
      return this.paint();
    }
    this.glide([...this.range], goal, performance.now());
  }

  /** Moves the axis to its new range in a fifth of a second, so that the eye can follow. */
  glide(from, goal, started) {
    const step = () => {
      const share = Math.min(1, (performance.now() - started) / 200);
      const eased = share * (2 - share);
      this.range = from.map((value, i) => value + (goal[i] - value) * eased);
      this.paint();
      if (share < 1) this.frame = requestAnimationFrame(step);
    };
    step();
  }

  paint() {
    this.painted = true;
    const { x, truth, input, output, centre, spread, hint } = this.view;
    const xs = Array.from(x, (value) => this.px(value));
    const rows = (values) => Array.from(values, (value) => this.py(value));
    const upper = rows(centre.map((value) => value + 2 * spread));
    const lower = rows(centre.map((value) => value - 2 * spread));
    const back = linePath([...xs].reverse(), [...lower].reverse()).replace("M", "L");
    const answer = output ? linePath(xs, rows(output)) : "";
    const dots = rows(input).map((y, i) => `M${xs[i].toFixed(1)} ${y.toFixed(1)}h0`);
    const paths = {
      band: `${linePath(xs, upper)}${back}Z`,
      edge: linePath(xs, upper) + linePath(xs, lower),
      dots: dots.join(""),
      halo: answer,
      output: answer,
      truth: linePath(xs, rows(truth)),
    };
    for (const [name, path] of Object.entries(paths)) this.parts[name].setAttribute("d", path);
    this.paintAxes();
    this.paintEnds();
    this.hint.textContent = hint;
    this.hint.setAttribute("x", EDGE.left + 8);
    this.hint.setAttribute("y", this.bottom - 5);
  }

  paintAxes() {
    const [low, high] = this.range;
    /** @type {[number, number, string, string | number][]} */
    const labels = [];
    let grid = "";
    for (let y = Math.ceil(low / 10) * 10; y <= high; y += 10) {
      const at = this.py(y);
      grid += `M${EDGE.left} ${at.toFixed(1)}H${this.right.toFixed(1)}`;
      labels.push([EDGE.left - 7, at + 4, "end", y]);
    }
    for (const x of [-10, -5, 0, 5, 10]) labels.push([this.px(x), this.height - 6, "middle", x]);
    labels.at(-1)[3] = "x = 10";
    labels.at(-1)[2] = this.width >= LABELS_FROM ? "middle" : "end";
    if (this.width < LABELS_FROM) labels.at(-1)[0] += 6;
    this.parts.grid.setAttribute("d", grid);
    const nodes = labels.map(([x, y, anchor, text]) =>
      h("svg:text", { x, y, "text-anchor": anchor }, String(text).replace("-", "−")),
    );
    this.axis.replaceChildren(...nodes);
  }

  /** Names each curve at its right end; a short lead joins a name that had to move. */
  paintEnds() {
    if (this.width < LABELS_FROM) return this.ends.replaceChildren();
    const { truth, input, output, centre } = this.view;
    const late = input.slice(-6);
    const ends = {
      output: output?.at(-1),
      truth: truth.at(-1),
      dots: late.reduce((sum, value) => sum + value, 0) / late.length,
      band: centre.at(-1),
    };
    const labels = Object.entries(ends)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ({ name, y: this.py(value), at: 0 }));
    spreadOut(labels, 17, EDGE.top + 8, this.bottom - 6);
    const nodes = labels.flatMap(({ name, y, at }) => [
      h("svg:path", { class: "rl-lead", d: `M${this.right + 3} ${y}L${this.right + 13} ${at}` }),
      h("svg:text", { class: `rl-of-${name}`, x: this.right + 17, y: at + 4 }, KEYS[name]),
    ]);
    this.ends.replaceChildren(...nodes);
  }
}

// ---------------------------------------------------------------------------------------------
// 7  Panel

const LIMITS = { order: [0.5, 12], mean: [-15, 15], spread: [0, 8] };
const SLIDERS = {
  order: { label: "Cosine order", min: 0.5, max: 12, step: 0.5, symbol: "O" },
  mean: { label: "Noise mean", min: -15, max: 15, step: 0.5, symbol: "μ" },
  spread: { label: "Noise spread", min: 0, max: 8, step: 0.25, symbol: "σ" },
};
let panels = 0;

function pretty(value) {
  if (value === null || !Number.isFinite(value)) return "–";
  if (value > 0 && value < 5e-5) return "< 0.0001";
  return value.toFixed(value < 0.01 ? 4 : value < 1 ? 3 : value < 10 ? 2 : 1);
}

const percent = (share) => `${share < 0.1 ? (100 * share).toFixed(1) : Math.round(100 * share)} %`;

class Panel {
  constructor(element, { weights, settings = {}, points = 128, onChange = (_settings) => {} }) {
    this.element = element;
    this.weights = weights;
    this.orders = Object.keys(weights).map(Number).sort((a, b) => a - b);
    this.onChange = onChange;
    this.networks = new Map();
    this.status = "idle";
    this.drawing = null;
    this.x = Float32Array.from({ length: points }, (_, i) => (20 * i) / (points - 1) - 10);
    this.settings = { network: this.orders[0], order: 1, mean: 0, spread: 1, seed: 1 };
    this.shape = "cosine";
    this.build();
    this.set(settings, false);
    this.observe();
  }

  // ---- building

  build() {
    const id = `rl-toy-${(panels += 1)}`;
    this.plot = new Plot();
    const named = (order) => [String(order), `O = ${order}`];
    this.picker = choices(`${id}-network`, "Network trained on order", this.orders.map(named),
      (value) => this.set({ network: Number(value) }));
    const shapes = ["cosine", ...Object.keys(SHAPES)].map((name) => [name, name]);
    this.shapes = choices(`${id}-shape`, "Signal shown", shapes, (name) => this.setShape(name));
    this.sliders = {};
    for (const name of Object.keys(SLIDERS)) {
      this.sliders[name] = slider(SLIDERS[name], (value) => this.set({ [name]: value }));
    }
    this.clear = button("Clear drawing", () => this.setShape("cosine"));
    this.verdict = h("p", { class: "rl-verdict" });
    this.live = h("p", { class: "rl-unseen", "aria-live": "polite" });
    this.notice = h("div", { class: "rl-notice", hidden: "" });
    this.element.classList.add("rl-toy", "rl-toy-live");
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "The toy task, live");
    this.element.replaceChildren(h("style", {}, STYLE), this.body());
    this.stopTheme = followTheme(this.element);
    this.listen();
  }

  body() {
    const row = (...children) => h("div", { class: "rl-row" }, ...children);
    const name = (text, more = "") =>
      h("span", { class: `rl-name ${more}`, "aria-hidden": "true" }, text);
    const sliders = Object.values(this.sliders).map((one) => one.box);
    return h(
      "div",
      { class: "rl-body" },
      row(name("Trained on"), this.picker.box),
      this.legend(),
      h("div", { class: "rl-figure" }, this.plot.svg, this.notice),
      this.verdict,
      this.numbers(),
      h("div", { class: "rl-sliders" }, ...sliders),
      row(name("Signal", "rl-spare"), this.shapes.box, this.clear),
      row(
        button("New noise", () => this.set({ seed: this.settings.seed + 1 })),
        button("As in training", () => this.asTrained()),
      ),
      this.live,
    );
  }

  legend() {
    const items = Object.entries(KEYS).map(([name, text]) => {
      const swatch = h("svg:svg", { viewBox: "0 0 20 14" });
      swatch.innerHTML = SWATCHES[name];
      return h("span", {}, swatch, text);
    });
    return h("div", { class: "rl-legend", "aria-hidden": "true" }, ...items);
  }

  numbers() {
    const names = { mse: "MSE of output to truth", mseTraining: "of output to training signal",
      mseInput: "of input to truth" };
    this.fields = {};
    const boxes = Object.entries(names).map(([key, text]) => {
      this.fields[key] = h("span", { class: "rl-value" }, "–");
      return h("div", { class: "rl-number" }, h("span", { class: "rl-of" }, text), this.fields[key]);
    });
    return h("div", { class: "rl-numbers" }, ...boxes);
  }

  listen() {
    const { svg } = this.plot;
    const on = (name, handler) => svg.addEventListener(name, handler.bind(this));
    on("pointerdown", this.startStroke);
    on("pointermove", this.moveStroke);
    on("pointerup", this.endStroke);
    on("pointercancel", this.cancelStroke);
    this.resize = new ResizeObserver(() => {
      this.plot.measure();
      this.schedule();
    });
    this.resize.observe(svg);
    this.plot.measure();
  }

  /** Loads nothing before the panel comes near the screen. */
  observe() {
    if (!globalThis.IntersectionObserver) return this.wake();
    this.sight = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && this.wake(),
      { rootMargin: "200px" },
    );
    this.sight.observe(this.element);
  }

  wake() {
    this.sight?.disconnect();
    this.awake = true;
    this.load();
  }

  // ---- what the reader sets

  /** Changes settings by name; values out of range are brought back into it. */
  set(changes, tell = true) {
    const next = { ...this.settings };
    for (const [name, value] of Object.entries(changes)) {
      if (!(name in next) || !Number.isFinite(value)) continue;
      const [low, high] = LIMITS[name] ?? [-Infinity, Infinity];
      next[name] = Math.min(high, Math.max(low, value));
    }
    if (!this.orders.includes(next.network)) next.network = this.settings.network;
    if (changes.order !== undefined) this.shape = "cosine";
    this.settings = next;
    this.schedule();
    if (this.awake) this.load();
    if (tell) this.onChange({ ...next });
  }

  setShape(name) {
    this.shape = name;
    this.schedule();
  }

  asTrained() {
    const { mean, spread } = this.trainedNoise();
    this.set({ order: this.settings.network, mean, spread });
  }

  trainedNoise() {
    return this.network()?.noise ?? { mean: 0, spread: 1 };
  }

  // ---- drawing

  /** A stroke starts from the signal on show and replaces the part it passes over. */
  startStroke(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.stroke = { last: this.plot.locate(event), shape: this.shape, drawing: this.drawing };
    this.plot.svg.setPointerCapture(event.pointerId);
    if (event.pointerType !== "touch") event.preventDefault();
  }

  moveStroke(event) {
    if (!this.stroke) return;
    if (!this.stroke.moved) {
      this.drawing = this.truth().slice();
      this.stroke.moved = true;
      this.shape = "drawing";
      this.plot.frozen = true;
    }
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) {
      const here = this.plot.locate(step);
      this.drawLine(this.stroke.last, here);
      this.stroke.last = here;
    }
    this.schedule();
  }

  drawLine(from, to) {
    const [a, b] = from.x <= to.x ? [from, to] : [to, from];
    const half = 10 / (this.x.length - 1);
    this.x.forEach((x, i) => {
      if (x < a.x - half || x > b.x + half) return;
      const share = b.x > a.x ? Math.min(1, Math.max(0, (x - a.x) / (b.x - a.x))) : 1;
      this.drawing[i] = b.x > a.x ? a.y + share * (b.y - a.y) : to.y;
    });
  }

  endStroke() {
    this.stroke = null;
    this.plot.frozen = false;
    this.schedule();
  }

  /** The browser took the gesture for scrolling: leave the signal as it was. */
  cancelStroke() {
    if (this.stroke) ({ shape: this.shape, drawing: this.drawing } = this.stroke);
    this.endStroke();
  }

  // ---- loading

  network() {
    const held = this.networks.get(this.settings.network);
    return held instanceof Promise ? null : held;
  }

  load() {
    const { network: order } = this.settings;
    if (this.network()) return this.settle("ready");
    if (!this.networks.has(order)) {
      this.networks.set(order, loadNetwork(this.weights[order]).then(
        (network) => this.networks.set(order, network) && this.load(),
        (error) => this.networks.delete(order) && this.fail(order, error),
      ));
    }
    this.settle("loading", `Loading the network trained on O = ${order} …`);
  }

  fail(order, error) {
    if (order !== this.settings.network) return;
    this.settle("error", error.message);
    this.notice.append(button("Try again", () => this.load()));
  }

  settle(status, message = "") {
    this.status = status;
    this.element.dataset.rlStatus = status;
    this.notice.hidden = !message;
    this.notice.setAttribute("role", status === "error" ? "alert" : "status");
    this.notice.replaceChildren(...(message ? [h("p", {}, message)] : []));
    this.schedule();
  }

  // ---- computing and showing

  truth() {
    if (this.shape === "drawing") return this.drawing;
    return this.x.map(SHAPES[this.shape] ?? cosine(this.settings.order));
  }

  schedule() {
    this.stale = true;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.update();
    });
  }

  compute() {
    const { mean, spread, seed, network: order } = this.settings;
    const truth = this.truth();
    const noise = normals(seed, this.x.length);
    const input = truth.map((value, i) => value + mean + spread * noise[i]);
    const trained = this.x.map(cosine(order));
    const network = this.network();
    const started = performance.now();
    const output = network ? infer(network, this.x, input) : null;
    const milliseconds = performance.now() - started;
    return {
      truth, input, output, trained, milliseconds,
      mse: output && meanSquare(output, truth),
      mseTraining: output && meanSquare(output, trained),
      mseInput: meanSquare(input, truth),
    };
  }

  update() {
    if (!this.stale) return;
    this.stale = false;
    this.result = this.compute();
    const { truth, input, output, trained } = this.result;
    const { mean, spread } = this.trainedNoise();
    const drawn = this.shape === "drawing";
    this.plot.draw({
      x: this.x, truth, input, output, spread,
      centre: trained.map((value) => value + mean),
      hint: drawn || this.status !== "ready" ? "" : "Draw a signal here, from side to side",
    });
    this.showControls();
    for (const [key, field] of Object.entries(this.fields)) {
      field.textContent = pretty(this.result[key]);
    }
    this.verdict.textContent = this.describe();
    this.announce();
  }

  showControls() {
    const { network, order, mean, spread } = this.settings;
    const trained = this.trainedNoise();
    this.picker.inputs[network].checked = true;
    for (const [name, input] of Object.entries(this.shapes.inputs)) {
      input.checked = name === this.shape;
    }
    this.sliders.order.show(order, network);
    this.sliders.mean.show(mean, trained.mean);
    this.sliders.spread.show(spread, trained.spread);
    this.clear.setAttribute("aria-disabled", String(this.shape !== "drawing"));
  }

  /** One or two sentences on what is seen, from the numbers alone. */
  describe() {
    const { network, order, mean, spread } = this.settings;
    const { mse, mseTraining, mseInput, output } = this.result;
    const trained = this.trainedNoise();
    const known = this.shape === "cosine" && order === network;
    const usual = mean === trained.mean && spread === trained.spread;
    const setting = `${known ? "Known" : "Foreign"} signal, ${usual ? "known" : "foreign"} noise`;
    if (!output) return `${setting}.`;
    if (!known) {
      const nearer = mse < mseTraining ? "truth" : "training signal";
      return `${setting}: the output is closer to the ${nearer}.`;
    }
    if (mseInput === 0) return `${setting}: the input is clean.`;
    const share = percent(mse / mseInput);
    return `${setting}: the output’s squared error is ${share} of the input’s.`;
  }

  /** Tells a screen reader, once the reader's hand has rested for a moment. */
  announce() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { network, order, mean, spread } = this.settings;
      const { mse, mseTraining } = this.result;
      const signal = this.shape === "cosine" ? `cosine of order ${order}` : this.shape;
      const numbers = this.result.output
        ? ` Mean squared error to the truth ${pretty(mse)}, to the training signal ` +
          `${pretty(mseTraining)}.`
        : "";
      const text = `Network trained on order ${network}. Signal: ${signal}, noise mean ${mean}, ` +
        `spread ${spread}. ${this.describe()}${numbers}`;
      this.plot.svg.setAttribute("aria-label", text);
      this.live.textContent = text;
    }, 700);
  }

  // ---- for tests and for other scripts

  state() {
    this.update();
    const { truth, input, output, trained, ...numbers } = this.result;
    const plain = (values) => values && Array.from(values);
    return {
      ...this.settings, shape: this.shape, status: this.status, ...numbers,
      x: plain(this.x), truth: plain(truth), input: plain(input), output: plain(output),
      trained: plain(trained),
    };
  }

  destroy() {
    this.stopTheme();
    this.resize.disconnect();
    this.sight?.disconnect();
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.plot.frame);
  }
}

// ---------------------------------------------------------------------------------------------
// 8  Hosts

/** The weight files named by an element's data-weights-1, data-weights-4, ... attributes. */
function weightsOf(element) {
  const found = {};
  for (const [name, url] of Object.entries(element.dataset)) {
    const order = /^weights-?(\d+)$/.exec(name)?.[1];
    if (order) found[order] = url;
  }
  return found;
}

/**
 * Puts the panel into `element` and returns its handle, also found as `element.rlToy`:
 * {state(), set({network, order, mean, spread, seed}), shape(name), infer(values), destroy()}.
 * `weights` maps an order to the URL or the bytes of its weight file; without it the element's
 * data-weights-... attributes are read. `points` is the number of samples on [-10, 10].
 */
export function mount(element, options = {}) {
  const { weights = weightsOf(element), ...others } = options;
  if (Object.keys(weights).length === 0) {
    element.textContent = "This panel names no weight files: add data-weights-1 to its element.";
    return null;
  }
  const panel = new Panel(element, { weights, ...others });
  element.rlToy = {
    state: () => panel.state(),
    set: (changes, tell) => panel.set(changes, tell),
    shape: (name) => panel.setShape(name),
    infer: (values) => infer(panel.network(), panel.x, Float32Array.from(values)),
    destroy: () => panel.destroy(),
  };
  return element.rlToy;
}

const TRAITS = { network: "network", order: "order", mean: "noise_mean", spread: "noise_std",
  seed: "seed" };

/** anywidget's entry: weights come as buffers, and the settings follow the kernel both ways. */
function render({ model, el }) {
  const element = h("div", {});
  el.append(element);
  const read = () => Object.fromEntries(
    Object.entries(TRAITS).map(([name, trait]) => [name, model.get(trait)]),
  );
  let telling = false;
  const onChange = (settings) => {
    telling = true;
    for (const [name, trait] of Object.entries(TRAITS)) model.set(trait, settings[name]);
    model.save_changes();
    telling = false;
  };
  const handle = mount(element, {
    weights: model.get("weights"), points: model.get("points"), settings: read(), onChange,
  });
  for (const [name, trait] of Object.entries(TRAITS)) {
    // The panel's own changes come back as events, too: only the kernel's are news.
    const follow = () => telling || handle?.set({ [name]: model.get(trait) }, false);
    model.on(`change:${trait}`, follow);
  }
  return () => handle?.destroy();
}

export default { render };

// For tests.
export { axisRange, cosine, meanSquare, percent, pretty, SHAPES, spreadOut, weightsOf };
