// The rain lab's arithmetic, without a page, held against what Python says: see `lab` in
// `tests/test_javascript.py`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Lab } from "../../src/rainlens/widgets/lab_jobs.js";
import { centre, median } from "../../src/rainlens/widgets/lab_filters.js";
import { readNetwork, Runner } from "../../src/rainlens/widgets/lab_network.js";
import * as rain from "../../src/rainlens/widgets/lab_rain.js";
import { score } from "../../src/rainlens/widgets/measures.js";
import { drawn, outside, verdict } from "../../src/rainlens/widgets/rain_lab.js";

const FOLDER = Deno.env.get("RAINLENS_EXPECTED");
const { rains, height, width, scores, ...pictures } = JSON.parse(
  readFileSync(`${FOLDER}/lab.json`).toString(),
);
const weights = readFileSync(`${FOLDER}/resnet.safetensors`);
const picture = (name) => Float32Array.from(pictures[name]);
const apart = (ours, theirs) =>
  theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i])), 0);
const MEDIUM = { quantity: [200, 300], width: [5, 7, 9], length: [20, 40], direction: [-30, 30] };
const SHAPE = { quantity: 250, width: 5, length: 20, direction: 0 };
const RAIN = { ...SHAPE, weight: 1, seed: 1, tint: [1, 1, 1] };

for (const { noise, layer, ...about } of rains) {
  test(`rain from the same noise is Python's: ${JSON.stringify(about)}`, () => {
    const ours = rain.smear(Float32Array.from(noise), 80, rain.motionKernel(about));
    assert.equal(ours.length, layer.length);
    assert.ok(apart(ours, layer) < 1e-5);
  });
}

test("noise is sparse, lies where the recipe keeps it, and grows with the quantity", () => {
  const [few, many] = [200, 600].map((quantity) => rain.sparseNoise(quantity, 320, 7));
  const drops = (noise) => noise.filter((value) => value > 0);
  assert.ok(drops(few).every((value) => value > 254 && value < 256));
  assert.ok(Math.abs(drops(few).length / 320 ** 2 / (2 / 256) - 1) < 0.1);
  assert.ok(Math.abs(drops(many).length / 320 ** 2 / (6 / 256) - 1) < 0.1);
  assert.ok(few.every((value, i) => value === 0 || value === many[i]));
  assert.notDeepEqual(few, rain.sparseNoise(200, 320, 8));
});

test("canvases are as large as Python's", () => {
  assert.deepEqual([64, 96, 128, 192, 256].map(rain.canvasSide), [128, 160, 192, 256, 320]);
  assert.equal(rain.canvasSide(37), 108);
});

for (const plain of [false, true]) {
  const where = plain ? "in JavaScript" : "in WebAssembly";
  test(`the network answers as PyTorch does, ${where}`, async () => {
    const runner = new Runner(height, width, plain);
    const network = readNetwork(weights);
    await runner.run(network, picture("clean"));
    const output = await runner.run(network, picture("rainy"));
    assert.equal(runner.usesVectors, !plain);
    assert.ok(apart(output, pictures.output) < 1e-5);
  });
}

test("a picture that vectors do not fit into is refused, and so is another network", () => {
  assert.throws(() => new Runner(16, 12), { message: /multiple of 8, not 12/ });
  const other = readFileSync(`${FOLDER}/halves.safetensors`);
  assert.throws(() => readNetwork(other), { message: "it has no layer head" });
});

test("measures and the median filter are Python's", () => {
  const [output, before, rainy, clean] = ["output", "outputClean", "rainy", "clean"].map(picture);
  for (const [name, value] of Object.entries(score(output, before, rainy, clean))) {
    assert.ok(Math.abs(value / scores[name] - 1) < 1e-5, name);
  }
  assert.deepEqual(median(rainy, height, width), picture("median"));
});

test("measures of a dry picture have no value, but E_B does", () => {
  const clean = picture("clean");
  const { eB, ...others } = score(clean, clean, clean, clean);
  assert.equal(eB, 0);
  assert.ok(Object.values(others).every(Number.isNaN));
});

test("the middle of a picture", () => {
  const whole = Float32Array.from({ length: 48 }, (_, i) => i);
  assert.deepEqual([...centre(whole, 4, 2)], [5, 6, 9, 10, 21, 22, 25, 26, 37, 38, 41, 42]);
});

/** A lab with a picture, and the messages it has sent. */
function lab() {
  const sent = [];
  const one = new Lab((message) => sent.push(message));
  one.hear({ kind: "network", name: "a", bytes: weights });
  one.hear({ kind: "picture", size: 16, values: new Float32Array(3 * 256).fill(0.5) });
  return { one, sent };
}

test("a newer job of the same kind ends the older one, which says no more", async () => {
  const { one, sent } = lab();
  const ask = (job) => one.hear({ kind: "run", job, method: "a", rain: RAIN });
  await Promise.all([ask(1), ask(2)]);
  assert.deepEqual(sent.map(({ kind, job }) => `${kind} ${job}`),
    ["rain 1", "rain 2", "output 2", "scores 2"]);
});

test("a map answers cell by cell, until it is stopped", async () => {
  const { one, sent } = lab();
  const rains = [0, 30, 60].map((direction) => ({ ...RAIN, direction }));
  await one.hear({ kind: "map", job: 1, method: "a", rains, side: 8 });
  assert.deepEqual(sent.map(({ index, last }) => `${index} ${last}`),
    ["0 false", "1 false", "2 true"]);
  assert.ok(sent.every(({ contrast }) => Number.isFinite(contrast)));
  const working = one.hear({ kind: "map", job: 2, method: "a", rains, side: 8 });
  one.hear({ kind: "stop" });
  await working;
  assert.equal(sent.length, 3);
});

test("what cannot be done is said", async () => {
  const { one, sent } = lab();
  await one.hear({ kind: "run", job: 1, method: "b", rain: RAIN });
  assert.equal(sent.at(-1).error, "there is no network b");
  await one.hear({ kind: "network", name: "c", bytes: new Uint8Array(4) });
  assert.deepEqual([sent.at(-1).name, sent.at(-1).error], ["c", "the file is too short"]);
});

test("settings outside of a range are named", () => {
  const settings = { ...RAIN, tinted: false };
  assert.deepEqual(outside(settings, MEDIUM), []);
  const far = { ...settings, width: 3, direction: -31, weight: 0.5, tinted: true };
  assert.deepEqual(outside(far, MEDIUM), ["width", "direction", "weight", "tint"]);
});

test("a rain drawn from a range lies inside of it", () => {
  const draws = Array.from({ length: 200 }, (_, seed) => drawn(MEDIUM, seed));
  assert.ok(draws.every((one) => outside(one, MEDIUM).length === 0));
  assert.equal(new Set(draws.map((one) => one.width)).size, 3);
});

test("the sentence follows the numbers", () => {
  assert.match(verdict({ contrast: 0.1, eB: 2 }), /still there; .* nearly as it was\.$/);
  assert.match(verdict({ contrast: 0.5, eB: 10 }), /^A part of .* changed a little\.$/);
  assert.match(verdict({ contrast: 0.9, eB: 30 }), /^Most of .* is gone; .* changed a lot\.$/);
  assert.match(verdict({ contrast: NaN, eB: 0 }), /hardly any rain/);
  assert.match(verdict({ contrast: 0.9, eB: NaN }), /rains on every pixel/);
});
