// A toy network that learns: the five layers of `models/cnn1d.py`, forwards, backwards, and Adam.
//
// Segments lie one behind the other in one long row a channel, with three zeros between them. So
// the padding of one segment is the gap before the next, and a layer is one long loop.

import { convolve, KERNEL, packLayer, REACH } from "./conv1d.js";

const LAYERS = 5;
const SCALE = 10; // points are divided by it on the way in, and multiplied on the way out
const SLOPE = 0.01;
const BETAS = [0.9, 0.999];
const EPSILON = 1e-8;

/** How `count` segments of `points` lie in a row; `stride` leads from a channel to the next. */
function layout(count, points) {
  const span = count * (points + REACH) - REACH;
  return { count, points, span, stride: span + 2 * REACH, step: points + REACH };
}

/** Sets the gaps between segments to zero, into which a layer has written, too. */
function clearGaps(rows, channels, { count, points, stride, step }) {
  for (let c = 0; c < channels; c++) {
    for (let n = 1; n < count; n++) {
      const end = c * stride + REACH + (n - 1) * step + points;
      rows.fill(0, end, end + REACH);
    }
  }
}

/** What the points of segments (N, 2, P) are to the first layer. */
function intoRows(values, place) {
  const { count, points, stride, step } = place;
  const rows = new Float32Array(2 * stride);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < 2; c++) {
      const from = (2 * n + c) * points;
      const to = c * stride + REACH + n * step;
      for (let t = 0; t < points; t++) rows[to + t] = values[from + t] / SCALE;
    }
  }
  return rows;
}

/** The points (N, 2, P) that the last layer means. */
function fromRows(rows, { count, points, stride, step }) {
  const values = new Float32Array(count * 2 * points);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < 2; c++) {
      const to = (2 * n + c) * points;
      const from = c * stride + REACH + n * step;
      for (let t = 0; t < points; t++) values[to + t] = rows[from + t] * SCALE;
    }
  }
  return values;
}

/**
 * ||output - clean|| of each segment, averaged over the batch (2026 paper, equation 2), as `loss`
 * and as `slopes`: how it changes with each number of the output.
 */
export function normLoss(output, clean, count) {
  const size = output.length / count;
  const slopes = new Float32Array(output.length);
  let sum = 0;
  for (let start = 0; start < output.length; start += size) {
    let square = 0;
    for (let i = start; i < start + size; i++) square += (output[i] - clean[i]) ** 2;
    const norm = Math.sqrt(square);
    sum += norm;
    const factor = norm > 0 ? 1 / (norm * count) : 0;
    for (let i = start; i < start + size; i++) slopes[i] = (output[i] - clean[i]) * factor;
  }
  return { loss: sum / count, slopes };
}

/** Adds up what each weight of a layer has to do with the slopes of its output. */
function weightSlopes({ inputs, outputs, weight, bias }, gradient, source, slopes, place) {
  const { span, stride } = place;
  for (let o = 0; o < outputs; o++) {
    const d = o * stride + REACH;
    let sum = 0;
    for (let t = 0; t < span; t++) sum += slopes[d + t];
    gradient[bias + o] = sum;
    for (let i = 0; i < inputs; i++) {
      const s = i * stride;
      let g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, g5 = 0, g6 = 0;
      let x0 = source[s], x1 = source[s + 1], x2 = source[s + 2];
      let x3 = source[s + 3], x4 = source[s + 4], x5 = source[s + 5];
      for (let t = 0; t < span; t++) {
        const slope = slopes[d + t], x6 = source[s + 6 + t];
        g0 += slope * x0; g1 += slope * x1; g2 += slope * x2; g3 += slope * x3;
        g4 += slope * x4; g5 += slope * x5; g6 += slope * x6;
        x0 = x1; x1 = x2; x2 = x3; x3 = x4; x4 = x5; x5 = x6;
      }
      const w = weight + (o * inputs + i) * KERNEL;
      gradient[w] = g0; gradient[w + 1] = g1; gradient[w + 2] = g2; gradient[w + 3] = g3;
      gradient[w + 4] = g4; gradient[w + 5] = g5; gradient[w + 6] = g6;
    }
  }
}

/** A network with its optimiser. All weights lie in `values`, in the order of PyTorch's. */
export class Learner {
  constructor(channels) {
    this.channels = channels;
    this.layers = [];
    let next = 0;
    for (let l = 0; l < LAYERS; l++) {
      const inputs = l === 0 ? 2 : channels;
      const outputs = l === LAYERS - 1 ? 2 : channels;
      const bias = next + outputs * inputs * KERNEL;
      this.layers.push({ inputs, outputs, weight: next, bias });
      next = bias + outputs;
    }
    this.values = new Float32Array(next);
    this.gradient = new Float32Array(next);
    this.first = new Float32Array(next);
    this.second = new Float32Array(next);
    this.done = 0;
  }

  /** First weights as PyTorch draws them: evenly, the less far the more inputs a sum has. */
  begin(random) {
    for (const { inputs, weight, bias, outputs } of this.layers) {
      const bound = 1 / Math.sqrt(inputs * KERNEL);
      for (let i = weight; i < bias + outputs; i++) this.values[i] = bound * (2 * random() - 1);
    }
  }

  weights({ inputs, outputs, weight, bias }) {
    const values = this.values.subarray(weight, bias);
    const biases = this.values.subarray(bias, bias + outputs);
    return packLayer({ shape: [outputs, inputs, KERNEL], values }, { values: biases });
  }

  /** The same kernels turned round: they lead slopes from a layer's output to its input. */
  turned({ inputs, outputs, weight }) {
    const values = new Float32Array(inputs * outputs * KERNEL);
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const from = weight + (o * inputs + i) * KERNEL;
        const to = (i * outputs + o) * KERNEL;
        for (let k = 0; k < KERNEL; k++) values[to + KERNEL - 1 - k] = this.values[from + k];
      }
    }
    return packLayer({ shape: [inputs, outputs, KERNEL], values }, { values: [] });
  }

  /** What the network makes of points (N, 2, P); what `learn` needs of it is kept. */
  answer(points, count) {
    const place = layout(count, points.length / (2 * count));
    const rows = [intoRows(points, place)];
    this.layers.forEach((layer, l) => {
      const target = new Float32Array(layer.outputs * place.stride);
      convolve(this.weights(layer), rows[l], target, place.span, l < LAYERS - 1 ? SLOPE : 1);
      clearGaps(target, layer.outputs, place);
      rows.push(target);
    });
    this.kept = { place, rows };
    return fromRows(rows[LAYERS], place);
  }

  /** How the loss changes with each weight, into `gradient`; the loss. */
  differentiate(noisy, clean, count) {
    const { loss, slopes } = normLoss(this.answer(noisy, count), clean, count);
    const { place, rows } = this.kept;
    // Rows are divided by the scale, and slopes are multiplied by it.
    let behind = intoRows(slopes.map((slope) => slope * SCALE * SCALE), place);
    for (let l = LAYERS - 1; l >= 0; l--) {
      const layer = this.layers[l];
      weightSlopes(layer, this.gradient, rows[l], behind, place);
      if (l > 0) behind = this.before(layer, behind, rows[l], place);
    }
    return loss;
  }

  /** The slopes of a layer's input, before its Leaky ReLU. */
  before(layer, slopes, input, place) {
    const found = new Float32Array(layer.inputs * place.stride);
    convolve(this.turned(layer), slopes, found, place.span, 1);
    for (let i = 0; i < found.length; i++) if (input[i] < 0) found[i] *= SLOPE;
    clearGaps(found, layer.inputs, place);
    return found;
  }

  /** A step of AdamW, as PyTorch makes it. */
  update(rate, decay) {
    const [one, two] = BETAS;
    const { values, gradient, first, second } = this;
    this.done += 1;
    const size = rate / (1 - one ** this.done);
    const spread = Math.sqrt(1 - two ** this.done);
    for (let i = 0; i < values.length; i++) {
      const slope = gradient[i];
      first[i] = one * first[i] + (1 - one) * slope;
      second[i] = two * second[i] + (1 - two) * slope * slope;
      const move = (size * first[i]) / (Math.sqrt(second[i]) / spread + EPSILON);
      values[i] = values[i] * (1 - rate * decay) - move;
    }
  }

  learn(noisy, clean, count, rate, decay) {
    const loss = this.differentiate(noisy, clean, count);
    this.update(rate, decay);
    return loss;
  }
}
