// The rain lab's networks: a ResNet of the book, run on a picture of any even size.

import { breathe } from "./breathe.js";
import { convolve, copyPlanes, layout, OUTPUTS, pack, workspace } from "./convolution.js";
import { readWeights } from "./safetensors.js";

/** Reads a ResNet of the book from a safetensors file; its layers in the order of use. */
export function readNetwork(bytes) {
  const { tensors } = readWeights(bytes);
  const names = ["head"];
  for (let i = 0; tensors[`blocks.${i}.first.weight`]; i++) {
    names.push(`blocks.${i}.first`, `blocks.${i}.second`);
  }
  names.push("body", "tail");
  const layers = names.map((name) => {
    const [weight, bias] = [tensors[`${name}.weight`], tensors[`${name}.bias`]];
    if (!weight || !bias) throw new Error(`it has no layer ${name}`);
    return pack(weight, bias);
  });
  return { layers };
}

/** Runs networks on pictures of one size; it keeps its memory from one picture to the next. */
export class Runner {
  constructor(height, width, plain = false) {
    const { line, plane } = layout(height, width);
    this.height = height;
    this.width = width;
    this.line = line;
    this.plane = plane;
    this.plain = plain;
    this.size = 0;
  }

  /** Four stacks of planes, each with a border of zeros, and room for a layer's weights. */
  prepare({ layers }) {
    const channels = Math.max(...layers.map(({ blocks }) => blocks * OUTPUTS));
    const weights = Math.max(...layers.map(({ packed }) => packed.length));
    const size = 4 * channels * this.plane + weights;
    if (size !== this.size) {
      const { usesVectors, values, row } = workspace(size, this.plain);
      this.usesVectors = usesVectors;
      this.values = values;
      this.row = row;
      this.size = size;
      this.stacks = [0, 1, 2, 3].map((stack) => stack * channels * this.plane);
      this.weights = 4 * channels * this.plane;
    }
  }

  rectify(stack, { outputs }) {
    const { values } = this;
    const end = stack + outputs * this.plane;
    for (let i = stack; i < end; i++) if (values[i] < 0) values[i] = 0;
  }

  add(target, source, { outputs }) {
    const { values } = this;
    const count = outputs * this.plane;
    for (let i = 0; i < count; i++) values[target + i] += values[source + i];
  }

  /**
   * The network's output for a picture (3, H, W) in [0, 1], of the same layout, not clipped; null
   * where `isStale` says between two layers that nobody waits for it any more.
   */
  async run(network, picture, isStale = () => false) {
    this.prepare(network);
    const [first, x, hidden, result] = this.stacks;
    const [head, ...rest] = network.layers;
    const [body, tail] = rest.splice(-2);
    copyPlanes(this, picture, hidden, true);
    convolve(this, head, hidden, first);
    this.rectify(first, head);
    this.values.copyWithin(x, first, first + head.outputs * this.plane);
    for (let i = 0; i < rest.length; i += 2) {
      await breathe();
      if (isStale()) return null;
      convolve(this, rest[i], x, hidden); // x + second(relu(first(x)))
      this.rectify(hidden, rest[i]);
      convolve(this, rest[i + 1], hidden, result);
      this.add(x, result, rest[i + 1]);
    }
    convolve(this, body, x, result);
    this.add(result, first, body);
    convolve(this, tail, result, hidden);
    const output = new Float32Array(picture.length);
    copyPlanes(this, output, hidden, false);
    return output;
  }
}
