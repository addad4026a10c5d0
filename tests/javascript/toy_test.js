// The arithmetic of the live panel, without a page. `tests/test_javascript.py` runs this file with
// what Python says to the same inputs: see `expected` there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { readWeights } from "../../src/rainlens/widgets/safetensors.js";
import * as toy from "../../src/rainlens/widgets/toy.js";

const FOLDER = Deno.env.get("RAINLENS_EXPECTED");
const read = (name) => readFileSync(`${FOLDER}/${name}`);
const python = JSON.parse(read("expected.json").toString());

/** A safetensors file that holds one tensor. */
function weightFile(dtype, shape, bytes, offsets = [0, bytes.length]) {
  const entries = { a: { dtype, shape, data_offsets: offsets } };
  const header = new TextEncoder().encode(JSON.stringify(entries));
  const file = new Uint8Array(8 + header.length + bytes.length);
  new DataView(file.buffer).setUint32(0, header.length, true);
  file.set(header, 8);
  file.set(bytes, 8 + header.length);
  return file;
}

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const apart = (ours, theirs) => largest(theirs.map((value, i) => value - ours[i]));

for (const { name, file, x, y, output } of python.networks) {
  test(`the network answers as PyTorch does: ${name}`, () => {
    const network = toy.readNetwork(read(file));
    const ours = toy.infer(network, Float32Array.from(x), Float32Array.from(y));
    assert.equal(ours.length, output.length);
    assert.ok(largest(output) > 1, "the test would pass for a network that says nothing");
    assert.ok(apart(ours, output) < 1e-4 * largest(output));
  });
}

test("a network forgets its last input, of another length too", () => {
  const [{ file, x, y, output }] = python.networks;
  const network = toy.readNetwork(read(file));
  toy.infer(network, Float32Array.from(x), new Float32Array(x.length).fill(1e3));
  toy.infer(network, new Float32Array(9), new Float32Array(9));
  const ours = toy.infer(network, Float32Array.from(x), Float32Array.from(y));
  assert.ok(apart(ours, output) < 1e-4 * largest(output));
});

test("what a weight file says of itself is read", () => {
  const [first, second] = python.networks.map(({ file }) => toy.readNetwork(read(file)));
  assert.deepEqual([first.order, first.noise, first.padding], [4, { mean: 0, spread: 1 }, "zeros"]);
  assert.deepEqual(second.noise, { mean: 10, spread: 5 });
  assert.deepEqual([second.padding, second.slope], ["replicate", 0.2]);
});

test("all finite numbers in half precision are decoded to the bit", () => {
  const { tensors: { a } } = readWeights(read("halves.safetensors"));
  const ours = new Uint32Array(a.values.buffer);
  const exact = new Uint32Array(new Uint8Array(read("halves.f32")).buffer);
  assert.equal(ours.length, 63488); // 2^16 less infinity and what is no number
  assert.equal(ours.findIndex((bits, i) => bits !== exact[i]), -1);
});

test("single precision is read as it is, at any place in a buffer", () => {
  const bytes = new Uint8Array(Float32Array.of(0.1, -2, 3e38).buffer);
  const file = weightFile("F32", [3], bytes);
  const within = new Uint8Array(file.length + 3);
  within.set(file, 3);
  const { tensors: { a } } = readWeights(within.subarray(3));
  assert.deepEqual([a.shape, [...a.values]], [[3], [Math.fround(0.1), -2, Math.fround(3e38)]]);
});

test("damage is named", () => {
  const whole = weightFile("F32", [3], new Uint8Array(12));
  const says = (file, message) => assert.throws(() => readWeights(file), { message });
  says(whole.subarray(0, 7), "the file is too short");
  says(whole.subarray(0, 20), "its header is damaged");
  says(whole.subarray(0, whole.length - 1), "its tensor a is damaged");
  says(weightFile("F32", [4], new Uint8Array(12)), "its tensor a is damaged");
  says(weightFile("F64", [1], new Uint8Array(8)), "its tensor a is damaged");
  assert.throws(() => toy.readNetwork(whole), { message: "it holds no layers" });
});

test("noise is mulberry32 through Box and Muller, the same for the same seed", () => {
  for (const { seed, values } of python.normals) {
    assert.ok(apart(toy.normals(seed, values.length), values) < 1e-6);
  }
  const many = toy.normals(5, 20000);
  const mean = many.reduce((sum, value) => sum + value, 0) / many.length;
  const square = many.reduce((sum, value) => sum + value ** 2, 0) / many.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(square - 1) < 0.05); // 4 and 5 standard errors
});

test("the cosine is the one of the package", () => {
  for (const { order, x, y } of python.cosines) {
    assert.ok(apart(x.map(toy.cosine(order)), y) < 1e-5);
  }
});

test("the foreign signals are what they are called", () => {
  const { line, step, triangle, sawtooth, zero } = toy.SHAPES;
  assert.deepEqual([-10, 3].map(line), [-10, 3]);
  assert.deepEqual([-10, -0.1, 0, 10].map(step), [-7, -7, 7, 7]);
  assert.deepEqual([-10, -7.5, -5, 0, 2.5, 5].map(triangle), [-10, 0, 10, -10, 0, 10]);
  assert.ok(apart([-10, -10 + 10 / 3, -10 + 19 / 3, 0].map(sawtooth), [-10, 0, 9, 0]) < 1e-9);
  assert.deepEqual([-10, 3].map(zero), [0, 0]);
});

test("all signals stay within -10 and 10", () => {
  const x = Array.from({ length: 401 }, (_, i) => i / 20 - 10);
  for (const [name, shape] of Object.entries(toy.SHAPES)) {
    assert.ok(largest(x.map(shape)) <= 10, name);
  }
});

test("the mean square error is that of the numbers", () => {
  assert.equal(toy.meanSquare([1, 2, 3], [1, 0, 6]), 13 / 3);
});

test("the axis covers the curves in fives, and never less than 15", () => {
  assert.deepEqual(toy.axisRange([1, -2], [3]), [-15, 15]);
  assert.deepEqual(toy.axisRange([15.1], [-15], null), [-15, 20]);
  assert.deepEqual(toy.axisRange(Float32Array.of(-31, 4)), [-35, 15]);
});

test("labels keep their order and their distance within the plot", () => {
  const label = (name, y) => ({ name, y, at: 0 });
  const placed = (...labels) => {
    toy.spreadOut(labels, 10, 0, 100);
    return Object.fromEntries(labels.map(({ name, at }) => [name, at]));
  };
  assert.deepEqual(placed(label("a", 20), label("b", 50)), { a: 20, b: 50 });
  assert.deepEqual(placed(label("b", 54), label("a", 50)), { b: 54, a: 64 });
  assert.deepEqual(placed(label("a", 99), label("b", 120)), { a: 90, b: 100 });
  assert.deepEqual(placed(label("a", -9)), { a: 0 });
});

test("numbers are written with the digits that they deserve", () => {
  const written = [null, NaN, Infinity, 0, 4e-5, 0.00123, 0.1234, 1.234, 12.34].map(toy.pretty);
  const wanted = ["–", "–", "–", "0.0000", "< 0.0001", "0.0012", "0.123", "1.23", "12.3"];
  assert.deepEqual(written, wanted);
  assert.deepEqual([0.0123, 0.0999, 0.1, 0.555, 2].map(toy.percent),
    ["1.2 %", "10.0 %", "10 %", "56 %", "200 %"]);
});

test("weight files are found in an element's attributes", () => {
  const dataset = { "weights-1": "a", weights8: "b", weights: "c", weightsFoo: "d", theme: "e" };
  assert.deepEqual(toy.weightsOf({ dataset }), { 1: "a", 8: "b" });
});
