// The decoder of the book's VQGAN: a grid of latents or rows of the code book in, a picture out.
//
// Names and order are those of `models/autoencoder.py`. The list `up` runs from its end to its
// start, and each of its levels but the last one doubles the size.

import { add, attend, enlarge, normalise, pointwise, rowsOf } from "./code_layers.js";
import { breathe } from "./breathe.js";
import { convolve, copyPlanes, layout, OUTPUTS, pack, workspace } from "./convolution.js";

/** A tensor (C, ...) of whole numbers times the scale of each of its C rows, if it has one. */
export function scaled(tensor, scale) {
  if (!scale) return tensor;
  const each = tensor.values.length / scale.values.length;
  const values = tensor.values.map((value, i) => value * scale.values[Math.floor(i / each)]);
  return { shape: tensor.shape, values };
}

/** A layer's weights. */
function weightOf(tensors, name) {
  const weight = tensors[`${name}.weight`];
  if (!weight) throw new Error(`it has no layer ${name}`);
  return scaled(weight, tensors[`${name}.scale`]);
}

/** The decoder's layers from the tensors of a file, ready to be used. `groups`: of GroupNorm. */
export function readDecoder(tensors, groups) {
  const conv = (name) => pack(weightOf(tensors, name), tensors[`${name}.bias`]);
  const point = (name) => {
    const { shape: [outputs, inputs], values } = weightOf(tensors, name);
    return { inputs, outputs, weight: values, bias: tensors[`${name}.bias`].values };
  };
  const norm = (name) => ({
    weight: weightOf(tensors, name).values, bias: tensors[`${name}.bias`].values, groups,
  });
  const block = (name) => ({
    norm1: norm(`${name}.norm1`), conv1: conv(`${name}.conv1`),
    norm2: norm(`${name}.norm2`), conv2: conv(`${name}.conv2`),
    shortcut: tensors[`${name}.nin_shortcut.weight`] && point(`${name}.nin_shortcut`),
  });
  const level = (name) => {
    const blocks = [];
    while (tensors[`${name}.block.${blocks.length}.conv1.weight`]) {
      blocks.push(block(`${name}.block.${blocks.length}`));
    }
    const isLast = !tensors[`${name}.upsample.conv.weight`];
    return { blocks, upsample: isLast ? null : conv(`${name}.upsample.conv`) };
  };
  const up = [];
  while (tensors[`decoder.up.${up.length}.block.0.conv1.weight`]) {
    up.push(level(`decoder.up.${up.length}`));
  }
  const middle = "decoder.mid";
  return {
    before: point("post_quant_conv"),
    first: conv("decoder.conv_in"),
    middle: [block(`${middle}.block_1`), block(`${middle}.block_2`)],
    attention: {
      norm: norm(`${middle}.attn_1.norm`),
      parts: ["q", "k", "v", "proj_out"].map((part) => point(`${middle}.attn_1.${part}`)),
    },
    levels: up.reverse(),
    norm: norm("decoder.norm_out"),
    last: conv("decoder.conv_out"),
  };
}

/** Decodes grids of one size; it keeps its memory from one to the next. */
export class Decoder {
  /** `layers`: of `readDecoder`. The grid's width must be a multiple of 8. `plain`: no vectors. */
  constructor(layers, height, width, plain = false) {
    this.layers = layers;
    const { levels, before, first, middle, last } = layers;
    const sizes = levels.map((_, i) => layout(height << i, width << i));
    const all = [first, last, ...middle.flatMap(convolutions)];
    const numbers = [before.inputs, before.outputs, first.outputs].map((n) => n * sizes[0].plane);
    levels.forEach(({ blocks, upsample }, i) => {
      const here = blocks.flatMap(convolutions);
      const widths = here.flatMap(({ inputs, outputs }) => [inputs, outputs]);
      numbers.push(Math.max(...widths) * sizes[i].plane);
      if (upsample) numbers.push(upsample.outputs * sizes[i + 1].plane);
      all.push(...here, ...(upsample ? [upsample] : []));
    });
    const stack = Math.max(...numbers, OUTPUTS * sizes.at(-1).plane);
    const room = Math.max(...all.map(({ packed }) => packed.length));
    const { usesVectors, values, row } = workspace(3 * stack + room, plain);
    this.usesVectors = usesVectors;
    this.stacks = [0, 1, 2].map((one) => one * stack);
    this.places = sizes.map((size) => ({ ...size, values, row, weights: 3 * stack }));
  }

  /**
   * The picture (3, f h, f w), clipped to [0, 1], of a grid (C, h, w); null where `isStale` says
   * between two layers that nobody waits for it any more.
   */
  async run(grid, isStale = () => false) {
    const { layers, places } = this;
    let [x, a] = this.stacks;
    const b = this.stacks[2];
    const isNeeded = async () => (await breathe(), !isStale());
    copyPlanes(places[0], grid, a, true);
    places[0].values.fill(0, b, b + layers.before.outputs * places[0].plane);
    pointwise(places[0], layers.before, a, b);
    convolve(places[0], layers.first, b, x);
    [x, a] = this.block(places[0], layers.middle[0], x, a, b);
    if (!(await isNeeded())) return null;
    this.attention(places[0], x, a, b);
    [x, a] = this.block(places[0], layers.middle[1], x, a, b);
    for (const [i, { blocks, upsample }] of layers.levels.entries()) {
      for (const one of blocks) {
        if (!(await isNeeded())) return null;
        [x, a] = this.block(places[i], one, x, a, b);
      }
      if (!upsample) continue;
      if (!(await isNeeded())) return null;
      enlarge(places[i], places[i + 1], upsample.inputs, x, a);
      convolve(places[i + 1], upsample, a, x);
    }
    const place = places.at(-1);
    normalise(place, layers.norm, x, a, true);
    convolve(place, layers.last, a, b);
    const picture = new Float32Array(3 * place.height * place.width);
    copyPlanes(place, picture, b, false);
    return picture.map((value) => Math.min(1, Math.max(0, (value + 1) / 2)));
  }

  /** A residual block on the stack x; [where its result lies, the stack that is free instead]. */
  block(place, { norm1, conv1, norm2, conv2, shortcut }, x, a, b) {
    normalise(place, norm1, x, a, true);
    convolve(place, conv1, a, b);
    normalise(place, norm2, b, a, true);
    convolve(place, conv2, a, b);
    if (shortcut) pointwise(place, shortcut, x, a);
    const kept = shortcut ? a : x;
    add(place, conv2.outputs, b, kept);
    return shortcut ? [a, x] : [x, a];
  }

  /** x + proj_out(attention of the normalised x). */
  attention(place, x, a, b) {
    const { norm, parts } = this.layers.attention;
    const last = parts.at(-1), count = last.inputs;
    normalise(place, norm, x, a, false);
    const [queries, keys, held] = parts.slice(0, 3).map((part) => {
      pointwise(place, part, a, b);
      return rowsOf(place, count, b);
    });
    attend(place, count, queries, keys, held, a);
    pointwise(place, last, a, b);
    add(place, count, b, x);
  }
}

const convolutions = ({ conv1, conv2 }) => [conv1, conv2];
