// The explorer's two charts, in SVG: all moments of all networks of a range, and their paths.

import { h } from "./elements.js";

const WIDE = 340; // of a chart, in units of its own
const HIGH = 270;
const LEFT = 52; // room for the numbers beside it
const FOOT = 40;
const TOP = 12;
const NAMES = 30; // room for names left of the paths
const LINE = 13; // of text

const text = (x, y, words, anchor = "middle") =>
  h("svg:text", { x, y, "text-anchor": anchor }, words);

/** A chart that a screen reader takes for one picture. */
export function canvas() {
  return h("svg:svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", class: "rl-chart" });
}

/** 30000 -> "30k": short names for an axis. */
export const short = (count) => (count < 10_000 ? `${count}` : `${count / 1000}k`);

/** From the lowest to the highest of some numbers, with a little room; never empty. */
export function span(numbers) {
  const known = numbers.filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = (high - low) * 0.06 || 1;
  return [low - room, high + room];
}

/**
 * N across, steps up; `values[n][step]` sets how strong the colour is, within `limits`. `at` is the
 * place of the chosen cell; `onPick` is told of one that is pointed at.
 */
export function drawMap(svg, { counts, steps, values, limits, at }, onPick) {
  const [width, height] = [(WIDE - LEFT) / counts.length, (HIGH - TOP - FOOT) / steps.length];
  const [low, high] = limits;
  const cells = values.flatMap((column, n) => column.map((value, step) => {
    const cell = h("svg:rect", {
      x: LEFT + n * width + 1, y: HIGH - FOOT - (step + 1) * height + 0.5, width: width - 2,
      height: height - 1, class: "rl-cell",
      style: `--at: ${Math.round(8 + (92 * (value - low)) / (high - low || 1))}%`,
    });
    cell.addEventListener("click", () => onPick(n, step));
    return cell;
  }));
  const chosen = h("svg:rect", {
    x: LEFT + at.n * width, y: HIGH - FOOT - (at.step + 1) * height - 0.5, width,
    height: height + 1, class: "rl-chosen",
  });
  const names = [
    ...counts.map((count, n) => text(LEFT + (n + 0.5) * width, HIGH - FOOT + 16, short(count))),
    ...steps.map((step, i) => (i % 2 || steps.length < 7
      ? text(LEFT - 6, HIGH - FOOT - (i + 0.5) * height + 4, `${step}`, "end") : "")),
    text(LEFT + (WIDE - LEFT) / 2, HIGH - 6, "N, backgrounds"),
  ];
  svg.replaceChildren(...cells, chosen, ...names);
}

/**
 * Each network's way through its training: damage across, removal up. `x[n][step]`, `y[n][step]`;
 * the chosen one is drawn strongly, with a dot at its moment.
 */
export function drawPaths(svg, { x, y, limits, at, labels }) {
  const scale = ([low, high], from, to) => (value) =>
    from + ((to - from) * (value - low)) / (high - low);
  const across = scale(limits.x, LEFT + NAMES, WIDE - NAMES);
  const up = scale(limits.y, HIGH - FOOT, TOP);
  const line = (n) => h("svg:polyline", {
    points: x[n].map((value, i) => `${across(value).toFixed(1)},${up(y[n][i]).toFixed(1)}`).join(" "),
    class: n === at.n ? "rl-path rl-path-chosen" : "rl-path",
  });
  const order = x.map((_, n) => n).sort((a, b) => Number(a === at.n) - Number(b === at.n));
  const starts = x.map((path, n) =>
    h("svg:circle", { cx: across(path[0]), cy: up(y[n][0]), r: 3, class: "rl-begin" }));
  const dot = h("svg:circle", {
    cx: across(x[at.n][at.step]), cy: up(y[at.n][at.step]), r: 6, class: "rl-dot",
  });
  // Names stand where their paths lead to: left of those that came to less damage.
  const names = [-1, 1].flatMap((side) => {
    const there = order.filter((n) => (x[n].at(-1) < x[n][0] ? -1 : 1) === side);
    const heights = apart(there.map((n) => up(y[n].at(-1))));
    const edge = side * Math.max(...there.map((n) => side * across(x[n].at(-1)) + 9));
    return there.map((n, i) => text(edge, heights[i] + 4, labels[n], side < 0 ? "end" : "start"));
  });
  const frame = h("svg:path", {
    d: `M${LEFT} ${TOP}V${HIGH - FOOT}H${WIDE}`, class: "rl-frame",
  });
  svg.replaceChildren(
    frame, ...order.map(line), ...starts, dot, ...names, ...ticks(limits.x).map((value) =>
      text(across(value), HIGH - FOOT + 16, `${value}`)),
    ...ticks(limits.y).map((value) => text(LEFT - 6, up(value) + 4, `${value}`, "end")),
    text(LEFT + (WIDE - LEFT) / 2, HIGH - 6, "E_B, grey levels"),
  );
}

/** These heights, moved until there is a line of text between any two, and none above the chart. */
function apart(heights) {
  const moved = [...heights];
  const down = moved.map((_, n) => n).sort((a, b) => moved[a] - moved[b]);
  for (let round = 0; round < 50; round++) {
    for (let i = 1; i < down.length; i++) {
      const lacking = LINE - (moved[down[i]] - moved[down[i - 1]]);
      if (lacking <= 0) continue;
      moved[down[i - 1]] -= lacking / 2;
      moved[down[i]] += lacking / 2;
    }
  }
  const above = Math.max(0, TOP - Math.min(...moved));
  return moved.map((height) => height + above);
}

/** Three to six round numbers inside an interval. */
export function ticks([low, high]) {
  const rough = (high - low) / 4;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * ten).find((size) => size >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) {
    found.push(Number((i * step).toFixed(digits)));
  }
  return found;
}
