// The trainer's arithmetic, without a page, held against what PyTorch says: see `trainer` in
// `tests/test_javascript.py`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Run, Trainer } from "../../src/rainlens/widgets/trainer_jobs.js";
import { Learner, normLoss } from "../../src/rainlens/widgets/trainer_network.js";
import { PLAN, rateAt, WIDTHS } from "../../src/rainlens/widgets/trainer_plan.js";
import * as signals from "../../src/rainlens/widgets/trainer_signals.js";
import { result, said, status } from "../../src/rainlens/widgets/trainer_words.js";
import { uniforms } from "../../src/rainlens/widgets/uniforms.js";

const FOLDER = Deno.env.get("RAINLENS_EXPECTED");
const python = JSON.parse(readFileSync(`${FOLDER}/trainer.json`).toString());
const COUNT = 4; // segments in a batch
const SCHEDULE = { steps: 20, rate: 0.02, warmup: 5 };
const DECAY = 0.3;

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const apart = (ours, theirs) => largest(theirs.map((value, i) => value - ours[i]));
const batches = python.batches.map((parts) => parts.map((part) => Float32Array.from(part)));

/** A network with PyTorch's first weights. */
function learner() {
  const one = new Learner(8);
  assert.equal(one.values.length, python.weights[0].length);
  one.values.set(python.weights[0]);
  return one;
}

test("the answer and the loss are PyTorch's", () => {
  const [noisy, clean] = batches[0];
  const answer = learner().answer(noisy, COUNT);
  assert.ok(largest(python.outputs) > 0.1);
  assert.ok(apart(answer, python.outputs) < 1e-5);
  assert.ok(Math.abs(normLoss(answer, clean, COUNT).loss - python.losses[0]) < 1e-4);
});

test("the slopes of every layer are PyTorch's", () => {
  const one = learner();
  one.differentiate(...batches[0], COUNT);
  let start = 0;
  for (const size of python.layers) {
    const theirs = python.gradients.slice(start, start + size);
    assert.ok(largest(theirs) > 1e-3);
    assert.ok(apart(one.gradient.slice(start, start + size), theirs) < 1e-4 * largest(theirs));
    start += size;
  }
});

test("one step and twenty lead to PyTorch's weights", () => {
  const one = learner();
  batches.forEach((batch, step) => {
    const loss = one.learn(...batch, COUNT, rateAt(step, SCHEDULE), DECAY);
    assert.ok(Math.abs(loss - python.losses[step]) < 1e-3 * python.losses[step]);
    if (step === 0) assert.ok(apart(one.values, python.weights[1]) < 1e-6);
  });
  assert.ok(apart(python.weights[20], python.weights[0]) > 0.05);
  assert.ok(apart(one.values, python.weights[20]) < 1e-3);
});

test("the rate of each step is that of the package", () => {
  assert.ok(apart(python.rates.map((_, step) => rateAt(step, SCHEDULE)), python.rates) < 1e-12);
});

test("a slope is how the loss changes", () => {
  const one = learner();
  const [noisy, clean] = batches[0];
  one.differentiate(noisy, clean, COUNT);
  const slopes = one.gradient.slice();
  for (const place of [0, 60, 700, one.values.length - 1]) {
    const [held, small] = [one.values[place], 1e-2];
    const loss = (shift) => {
      one.values[place] = held + shift;
      return normLoss(one.answer(noisy, COUNT), clean, COUNT).loss;
    };
    const change = (loss(small) - loss(-small)) / (2 * small);
    one.values[place] = held;
    assert.ok(Math.abs(change - slopes[place]) < 0.01 * largest(slopes), `${place}`);
  }
});

test("a perfect answer has no loss and no slope", () => {
  const { loss, slopes } = normLoss(Float32Array.of(1, 2), Float32Array.of(1, 2), 1);
  assert.deepEqual([loss, ...slopes], [0, 0, 0]);
});

test("first weights are drawn evenly, up to one over the root of the inputs", () => {
  const one = new Learner(16);
  one.begin(uniforms(1));
  const inner = one.values.slice(one.layers[1].weight, one.layers[2].weight);
  const bound = 1 / Math.sqrt(16 * 7);
  assert.ok(largest(inner) <= bound && largest(inner) > 0.99 * bound);
  assert.deepEqual(WIDTHS, python.counts);
  assert.equal(one.values.length, WIDTHS[16]);
});

test("tests and their noise are those of the chapter", () => {
  assert.ok(apart(python.x.map(signals.triangleWave), python.triangle) < 1e-5);
  const names = { own: "order2", noise: "order2_shifted", cosine: "order8", triangle: "foreign" };
  for (const [name, { signal, noise }] of Object.entries(signals.tests(2))) {
    const [mean, spread, curve] = python.tests[names[name]];
    assert.deepEqual([noise.mean, noise.spread], [mean, spread]);
    assert.ok(apart(python.x.map(signal), curve) < 1e-5);
  }
  assert.deepEqual([1, 4, 5, 8].map(signals.otherOrder), [8, 8, 1, 1]);
});

test("a batch has pieces of the curve, and noise on y alone", () => {
  const { noisy, clean } = signals.batch(3, 2, uniforms(1));
  const [x, y] = [clean.slice(0, 128), clean.slice(128, 256)];
  assert.ok(x[0] < x[127] && largest(x) <= 10);
  assert.ok(apart(Array.from(x, signals.wave(3)), y) < 1e-5);
  assert.deepEqual(noisy.slice(0, 128), x);
  const noise = Array.from(y, (value, i) => noisy[128 + i] - value);
  const square = noise.reduce((sum, value) => sum + value ** 2, 0) / 128;
  assert.ok(square > 0.6 && square < 1.5);
  assert.notDeepEqual(clean.slice(256, 384), x);
});

test("what is judged are means over all draws", () => {
  const tests = signals.testBatch(1);
  const { own, noise, cosine } = signals.judged(1, tests, tests.clean);
  assert.deepEqual([own.error, noise.error, cosine.error], [0, 0, 0]);
  assert.ok(own.given > 0.8 && own.given < 1.2);
  assert.ok(noise.given > 110 && noise.given < 140); // 10^2 + 5^2
  assert.ok(own.fromTrained < 1e-9 && Math.abs(cosine.fromTrained - 100) < 2);
  assert.deepEqual(cosine.output, cosine.truth);
});

test("a network learns, the same one for the same seed", () => {
  const plan = { ...PLAN, steps: 150 };
  const [one, same, other] = [1, 1, 2].map((seed) =>
    new Run({ order: 2, channels: 8, seed, plan }));
  const before = one.measured().own.error;
  for (const run of [one, same, other]) while (!run.isOver) run.advance();
  assert.ok(one.measured().own.error < before / 20);
  assert.deepEqual(one.learner.values, same.learner.values);
  assert.notDeepEqual(one.learner.values, other.learner.values);
});

test("the worker stops, goes on to the end, and is quiet about a run that was replaced", async () => {
  const sent = [];
  const one = new Trainer((message) => sent.push(message));
  const plan = { ...PLAN, steps: 6, measureEvery: 2 };
  const train = (job) =>
    one.hear({ kind: "train", job, order: 1, channels: 8, seed: 1, plan });
  const first = train(1);
  await one.hear({ kind: "stop" });
  await first;
  const steps = () => sent.map(({ job, step, isOver }) => `${job} ${step}${isOver ? " over" : ""}`);
  assert.deepEqual(steps(), ["1 0"]);
  await one.hear({ kind: "go" });
  assert.deepEqual(steps(), ["1 0", "1 2", "1 4", "1 6 over"]);
  sent.length = 0;
  await Promise.all([2, 3].map(train));
  assert.deepEqual(steps(), ["2 0", "3 0", "3 2", "3 4", "3 6 over"]);
});

test("what fails is said", async () => {
  const sent = [];
  await new Trainer((message) => sent.push(message)).hear({ kind: "go" });
  assert.equal(sent[0].kind, "error");
});

test("numbers and sentences", () => {
  assert.deepEqual([NaN, 0.0123, 0.123, 12.34, 123.4].map(said), ["–", "0.012", "0.12", "12.3", "123"]);
  const numbers = { error: 20, fromTrained: 5, given: 1 };
  assert.match(result("cosine", numbers), /5\.0 away .* nearer to that\.$/);
  assert.match(result("triangle", { ...numbers, error: 2 }), /nearer to the truth\.$/);
  assert.match(result("noise", { ...numbers, given: 125 }), /given: 125\.$/);
  assert.match(result("own", { ...numbers, error: NaN }), /come apart/);
  const settings = { order: 2, channels: 16 };
  assert.match(status("idle", undefined, settings, 2000), /until you press Train/);
  const told = status("stopped", { order: 1, channels: 16, step: 1500 }, settings, 2000);
  assert.match(told, /step 1,500 of 2,000, stopped\. “Train anew” takes O = 2/);
});
