// The code lab's arithmetic, without a page, held against what Python says: see `codes` in
// `tests/test_javascript.py`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { Codes } from "../../src/rainlens/widgets/code_jobs.js";
import { drawnCodes, moved, verdict } from "../../src/rainlens/widgets/code_parts.js";

const FOLDER = Deno.env.get("RAINLENS_EXPECTED");
const file = readFileSync(`${FOLDER}/prior.bin`);
const expected = JSON.parse(readFileSync(`${FOLDER}/codes.json`).toString());
const apart = (ours, theirs) =>
  theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - ours[i])), 0);

/** The lab's worker with its file, and the messages that it has sent. */
async function codes(plain = false) {
  const sent = [];
  const one = new Codes((message) => sent.push(message), plain);
  await one.hear({ kind: "file", job: 1, bytes: file });
  return { one, sent };
}

for (const plain of [false, true]) {
  test(`codes and tiles are PyTorch's, ${plain ? "in JavaScript" : "in WebAssembly"}`, async () => {
    const { one, sent } = await codes(plain);
    assert.equal(one.decoder.usesVectors, !plain);
    assert.deepEqual([...sent[0].codes.rainy], expected.codes);
    await one.hear({ kind: "palette", job: 1, code: 5, others: [0] });
    assert.deepEqual(sent[1].near, expected.near);
    const tiles = sent.filter(({ kind }) => kind === "tile");
    assert.deepEqual(tiles.map(({ code }) => code), [5, ...expected.near, 0]);
    assert.ok(apart(tiles[0].tile, expected.tile) < 1e-4);
  });
}

test("a newer job of the same kind ends the older one, which says no more", async () => {
  const { one, sent } = await codes();
  const ask = (job) =>
    one.hear({ kind: "decode", job, source: "before", quantised: true, edits: [] });
  await Promise.all([ask(1), ask(2)]);
  assert.deepEqual(sent.slice(1).map(({ kind, job }) => `${kind} ${job}`),
    ["output 2", "response 2"]);
  // Both encoders are the same here.
  await one.hear({ kind: "decode", job: 3, source: "after", quantised: true, edits: [] });
  assert.equal(sent.at(-1).response, sent.at(-3).response);
});

test("what cannot be read is said", async () => {
  const { one, sent } = await codes();
  await one.hear({ kind: "file", job: 2, bytes: new Uint8Array(4) });
  assert.equal(sent.at(-1).error, "the file is too short");
});

test("cells are counted by rows, and end at the edges", () => {
  const grid = { rows: 3, columns: 4 };
  assert.equal(moved(5, 1, 1, grid), 10);
  assert.deepEqual([moved(0, -1, -1, grid), moved(11, 1, 1, grid)], [0, 11]);
});

test("codes that are drawn are different ones, and the same for the same seed", () => {
  const draws = drawnCodes(10, 4, 1);
  assert.deepEqual(draws, drawnCodes(10, 4, 1));
  assert.notDeepEqual(draws, drawnCodes(10, 4, 2));
  assert.equal(new Set(draws).size, 4);
  assert.equal(drawnCodes(2, 4, 1).length, 2);
});

test("the sentence counts the codes that rain changes", () => {
  const clean = [1, 2, 3];
  assert.match(verdict({ clean, rainy: [1, 3, 2], tuned_clean: clean, tuned_rainy: clean }),
    /^Rain changes 2 of the 3 codes .* and 0 after fine-tuning\.$/);
});
