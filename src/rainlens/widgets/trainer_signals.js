// What the toy network is trained on and tested on: the signals of `signals.py`, as points
// (N, 2, P), and what its answers are measured by.

import { normalsFrom, uniforms } from "./uniforms.js";

const LIMIT = 10;
const SEGMENT_POINTS = 128;
export const POINTS = 256; // of a test, over the whole line
const DRAWS = 4; // of noise, for each test
const TEST_SEED = 1;

/** The cosine of an order, over x in [-10, 10]. */
export const wave = (order) => (x) => 10 * Math.cos((order * Math.PI * x) / 10);

/** The triangle wave of the chapter's figures, on which no network is trained. */
export function triangleWave(x) {
  const phase = x / 8 + 0.1;
  return 8 * (2 * Math.abs(2 * (phase - Math.floor(phase)) - 1) - 1);
}

/** The whole line, evenly. */
export const LINE = Float32Array.from({ length: POINTS }, (_, i) =>
  (2 * LIMIT * i) / (POINTS - 1) - LIMIT);

/** The order that a network is tested on beside its own: one far from it. */
export const otherOrder = (order) => (order > 4 ? 1 : 8);

/** The tests by name: what is shown, and the noise on it. The first is that of the training. */
export function tests(order) {
  const usual = { mean: 0, spread: 1 };
  return {
    own: { signal: wave(order), noise: usual },
    noise: { signal: wave(order), noise: { mean: 10, spread: 5 } },
    cosine: { signal: wave(otherOrder(order)), noise: usual },
    triangle: { signal: triangleWave, noise: usual },
  };
}

/** Points, one segment after another: `line(n)` has the x of each. */
function segments(count, points, line, signal, noise, normal) {
  const clean = new Float32Array(count * 2 * points);
  const noisy = new Float32Array(count * 2 * points);
  for (let n = 0; n < count; n++) {
    const at = line(n);
    for (let i = 0; i < points; i++) {
      const x = 2 * n * points + i, y = x + points;
      clean[x] = noisy[x] = at(i);
      clean[y] = signal(clean[x]);
      noisy[y] = clean[y] + noise.mean + noise.spread * normal();
    }
  }
  return { noisy, clean };
}

/** New pieces of a cosine between two random ends, with new noise. */
export function batch(order, count, uniform) {
  const line = () => {
    const ends = [uniform(), uniform()].map((end) => LIMIT * (2 * end - 1));
    const [start, stop] = ends.sort((a, b) => a - b);
    return (i) => start + ((stop - start) * i) / (SEGMENT_POINTS - 1);
  };
  const noise = { mean: 0, spread: 1 };
  return segments(count, SEGMENT_POINTS, line, wave(order), noise, normalsFrom(uniform));
}

/** The inputs of all tests, the same ones every time: `names`, and all of them as one batch. */
export function testBatch(order) {
  const held = tests(order);
  const parts = Object.values(held).map(({ signal, noise }) => {
    const normal = normalsFrom(uniforms(TEST_SEED));
    return segments(DRAWS, POINTS, () => (i) => LINE[i], signal, noise, normal);
  });
  const joined = (name) => {
    const all = new Float32Array(parts.length * DRAWS * 2 * POINTS);
    parts.forEach((part, i) => all.set(part[name], i * DRAWS * 2 * POINTS));
    return all;
  };
  return {
    names: Object.keys(held), count: parts.length * DRAWS, noisy: joined("noisy"),
    clean: joined("clean"),
  };
}

/**
 * Of each test, mean squares over all draws: `error` of y, `given` of the points that went in,
 * and `fromTrained`, the distance from the curve of the training. And the first draw: what goes
 * in, what comes out, and the truth.
 */
export function judged(order, { names, noisy, clean }, output) {
  const trained = LINE.map(wave(order));
  return Object.fromEntries(names.map((name, test) => {
    const at = (draw) => (2 * (test * DRAWS + draw) + 1) * POINTS;
    let error = 0, given = 0, fromTrained = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      for (let i = 0, y = at(draw); i < POINTS; i++, y++) {
        error += (output[y] - clean[y]) ** 2;
        given += (noisy[y] - clean[y]) ** 2;
        fromTrained += (output[y] - trained[i]) ** 2;
      }
    }
    const count = DRAWS * POINTS;
    const first = (values) => values.slice(at(0), at(0) + POINTS);
    return [name, {
      error: error / count, given: given / count, fromTrained: fromTrained / count,
      noisy: first(noisy), output: first(output), truth: first(clean),
    }];
  }));
}
