// What the trainer says: its tests, its numbers and how it fares, in words.

import { h } from "./elements.js";
import { WIDTHS } from "./trainer_plan.js";

/** What a network is tested on beside its training, in short. */
export const TESTS = {
  noise: "foreign noise, N(10, 5)", cosine: "another cosine", triangle: "a triangle wave",
};
export const LEGEND = {
  dots: "given to the network", output: "its answer", truth: "the truth",
  trained: "the curve of its training", learnt: "as trained", strange: "in the other test",
  before: "thin: the run before",
};

export const thousands = (number) => `${number}`.replace(/\B(?=(\d{3})+$)/g, ",");

/** An error with the digits that it deserves. */
export function said(error) {
  if (!Number.isFinite(error)) return "–";
  return error.toFixed(error < 0.1 ? 3 : error < 1 ? 2 : error < 100 ? 1 : 0);
}

/** The title over the picture of a test. */
export function titled(test, order, other) {
  const [head, rest] = {
    own: ["As trained:", `O = ${order} under N(0, 1)`],
    noise: ["Foreign noise:", `O = ${order} under N(10, 5)`],
    cosine: ["Another cosine:", `O = ${other} under N(0, 1)`],
    triangle: ["A triangle wave", "under N(0, 1)"],
  }[test];
  return [h("strong", {}, head), ` ${rest}`];
}

/** What to compare an error with. */
export function result(test, { error, fromTrained, given }) {
  if (!Number.isFinite(error)) return "This training has come apart: train anew.";
  if (test === "own" || test === "noise") {
    return `Mean square distance to the truth. Of the points given: ${said(given)}.`;
  }
  const nearer = error < fromTrained ? "the truth" : "that";
  return `Its answer is ${said(fromTrained)} away from the curve of its training, so it is ` +
    `nearer to ${nearer}.`;
}

/** How the training fares. */
export function status(state, run, { order, channels }, steps) {
  if (!run) {
    return "Nothing is trained until you press Train. With 8 channels that takes about 15 s on a " +
      "laptop, with 16 three times as long; a phone takes longer.";
  }
  const isOther = run.order !== order || run.channels !== channels;
  const at = `O = ${run.order}: step ${thousands(run.step)} of ${thousands(steps)}`;
  const ends = { training: ".", stopped: ", stopped.", ready: ", done.", error: ", ended." };
  const next = isOther ? ` “Train anew” takes O = ${order}, ${channels} channels.` : "";
  return `${at}${ends[state] ?? "."}${next}`;
}

/** What this training is, beside that of the chapter. */
export function about(chapter, plan) {
  const counts = Object.values(WIDTHS).map(thousands).join(" or ");
  return "This network has the chapter’s five layers, its loss and its optimiser, but it is " +
    `smaller (${Object.keys(WIDTHS).join(" or ")} channels and ${counts} weights, there ` +
    `${chapter.channels} channels) and trained for less (${thousands(plan.steps)} steps with ` +
    `${plan.batch} pieces of curve each, there ${thousands(chapter.steps)} with ` +
    `${chapter.batch}). So it goes less far than those above. Each training begins with other ` +
    "weights and sees other noise. Single runs differ: train an order twice before you believe a " +
    "small difference.";
}
