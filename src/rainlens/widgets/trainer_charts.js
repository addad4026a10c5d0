// The trainer's charts, in SVG: what a network answers, and its errors along the training.

import { h } from "./elements.js";
import { thousands } from "./trainer_words.js";

const WIDE = 360; // of a chart, in units of its own
const HIGH = 200;
const LEFT = 34; // room for the numbers beside it
const FOOT = 20;
const TOP = 8;
const RIGHT = 8;
const LOWEST = 0.01; // errors below are drawn there
const HIGHEST = 300;

const place = (from, to, low, high) => (value) =>
  from + ((to - from) * (value - low)) / (high - low);
const text = (x, y, words, anchor) => h("svg:text", { x, y, "text-anchor": anchor }, words);
const path = (name, d) => h("svg:path", { class: name, d });
const signed = (number) => `${number}`.replace("-", "−");

/** A chart that a screen reader takes for one picture. */
export function chart(label) {
  const about = { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", class: "rl-chart" };
  return h("svg:svg", { ...about, "aria-label": label });
}

function line(xs, ys) {
  const points = Array.from(xs, (x, i) => `${x.toFixed(1)} ${ys[i].toFixed(1)}`);
  return points.length ? `M${points.join("L")}` : "";
}

/** Lines across at some heights, with their numbers; and numbers below. */
function frame(acrossAt, upAt) {
  const grid = upAt.map(([y]) => `M${LEFT} ${y.toFixed(1)}H${WIDE - RIGHT}`).join("");
  return [
    path("rl-grid", grid),
    ...upAt.map(([y, words]) => text(LEFT - 6, y + 4, words, "end")),
    ...acrossAt.map(([x, words], i) =>
      text(x, HIGH - 4, words, i < acrossAt.length - 1 ? "middle" : "end")),
  ];
}

/**
 * Shows one test on a chart: the points given, the truth, the answer, and the curve of the training
 * where that is another one than the truth. `highest`: of the axis, which begins at -15.
 */
export function drawFit(svg, { x, noisy, output, truth, trained }, highest) {
  const across = place(LEFT, WIDE - RIGHT, -10, 10);
  const up = place(HIGH - FOOT, TOP, -15, highest);
  const xs = Array.from(x, across);
  const curve = (values) => line(xs, Array.from(values, up));
  const shown = (value) => value > -15 && value < highest;
  const dots = xs.map((at, i) =>
    (shown(noisy[i]) ? `M${at.toFixed(1)} ${up(noisy[i]).toFixed(1)}h0` : ""));
  const places = [-10, -5, 0, 5].map((at) => [across(at), signed(at)]);
  const heights = [-10, 0, 10, 20, 30].filter((value) => value < highest);
  svg.replaceChildren(
    ...frame([...places, [WIDE - RIGHT, "x = 10"]], heights.map((at) => [up(at), signed(at)])),
    path("rl-dots", dots.join("")),
    ...(trained ? [path("rl-trained", curve(trained))] : []),
    ...(output ? [path("rl-halo", curve(output)), path("rl-output", curve(output))] : []),
    path("rl-truth", curve(truth)),
  );
}

/**
 * Shows errors along the training, on a logarithmic axis. `lines`: {steps, errors, name} each;
 * `name` is its class.
 */
export function drawErrors(svg, lines, steps) {
  const across = place(LEFT, WIDE - RIGHT, 0, steps);
  const up = place(HIGH - FOOT, TOP, Math.log10(LOWEST), Math.log10(HIGHEST));
  const height = (error) => up(Math.log10(Math.min(HIGHEST, Math.max(LOWEST, error))));
  const paths = lines.map(({ steps: at, errors, name }) => {
    const known = errors.map((_, i) => i).filter((i) => Number.isFinite(errors[i]));
    const ys = known.map((i) => height(errors[i]));
    return path(name, line(known.map((i) => across(at[i])), ys));
  });
  const marks = [0, steps / 4, steps / 2].map((step) => [across(step), thousands(step)]);
  svg.replaceChildren(
    ...frame([...marks, [WIDE - RIGHT, `${thousands(steps)} steps`]],
      [0.01, 0.1, 1, 10, 100].map((error) => [height(error), `${error}`])),
    ...paths,
  );
}
