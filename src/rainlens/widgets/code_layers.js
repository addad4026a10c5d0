// The decoder's layers beside 3x3 convolutions, in JavaScript: they take little of the time.
//
// `place` says where planes lie: see `layout` and `convolve`. A stack is the place of the first of
// its planes in `place.values`. Layers write the border of zeros where a convolution comes next.

const EPSILON = 1e-6; // of the normalisation, as in PyTorch's model

/** Calls `each` with the beginning of every row inside the borders of `count` planes. */
function eachRow({ height, line, plane }, count, each) {
  for (let channel = 0; channel < count; channel++) {
    for (let y = 0; y < height; y++) each(channel * plane + (y + 1) * line + 1, channel);
  }
}

/** Mean and 1 / standard deviation of some planes. */
function spreadOf(place, stack, count) {
  const { values, width, height } = place;
  let sum = 0, squares = 0;
  const total = count * height * width;
  eachRow(place, count, (at) => {
    for (let i = stack + at; i < stack + at + width; i++) sum += values[i];
  });
  const mean = sum / total;
  eachRow(place, count, (at) => {
    for (let i = stack + at; i < stack + at + width; i++) squares += (values[i] - mean) ** 2;
  });
  return { mean, scale: 1 / Math.sqrt(squares / total + EPSILON) };
}

/** GroupNorm, and with `bends` swish after it, x / (1 + exp(-x)); borders become zeros. */
export function normalise(place, { weight, bias, groups }, source, target, bends) {
  const { values, plane, width } = place;
  const size = weight.length / groups; // channels of a group
  values.fill(0, target, target + weight.length * plane);
  for (let first = 0; first < weight.length; first += size) {
    const { mean, scale } = spreadOf(place, source + first * plane, size);
    eachRow(place, size, (at, within) => {
      const channel = first + within;
      const gain = scale * weight[channel], shift = bias[channel] - mean * gain;
      const from = source + first * plane + at, to = target + first * plane + at;
      for (let x = 0; x < width; x++) {
        const value = gain * values[from + x] + shift;
        values[to + x] = bends ? value / (1 + Math.exp(-value)) : value;
      }
    });
  }
}

/** A 1x1 convolution: weight (O, C), bias (O,). Four inputs are taken at a time. */
export function pointwise(place, { weight, bias, inputs, outputs }, source, target) {
  const { values, plane, width } = place;
  eachRow(place, 1, (at) => {
    for (let o = 0; o < outputs; o++) {
      const to = target + o * plane + at;
      values.fill(bias[o], to, to + width);
      for (let c = 0; c < inputs; c += 4) {
        const w = o * inputs + c;
        const w0 = weight[w], w1 = weight[w + 1], w2 = weight[w + 2], w3 = weight[w + 3];
        const p = source + c * plane + at, q = p + plane, r = q + plane, s = r + plane;
        for (let x = 0; x < width; x++) {
          values[to + x] += w0 * values[p + x] + w1 * values[q + x] + w2 * values[r + x] +
            w3 * values[s + x];
        }
      }
    }
  });
}

/** target += source. */
export function add({ values, plane }, count, source, target) {
  for (let i = 0; i < count * plane; i++) values[target + i] += values[source + i];
}

/** Each value four times: from a place to one of twice its height and width, with borders. */
export function enlarge(from, to, count, source, target) {
  const { values } = from;
  values.fill(0, target, target + count * to.plane);
  eachRow(to, count, (at, channel) => {
    const y = Math.floor((at - channel * to.plane) / to.line) - 1;
    const row = source + channel * from.plane + ((y >> 1) + 1) * from.line + 1;
    for (let x = 0; x < to.width; x++) values[target + at + x] = values[row + (x >> 1)];
  });
}

/** The planes of a stack as rows: Float32Array (H * W, C). */
export function rowsOf(place, count, stack) {
  const { values, width } = place;
  const rows = new Float32Array(count * place.height * width);
  eachRow(place, count, (at, channel) => {
    const y = Math.floor((at - channel * place.plane) / place.line) - 1;
    for (let x = 0; x < width; x++) {
      rows[(y * width + x) * count + channel] = values[stack + at + x];
    }
  });
  return rows;
}

/**
 * Attention of one head over all places, from rows of queries, keys and values: to each place goes
 * the mean of all values, weighted by the softmax of query times key over the root of their length.
 * Numbers of places and channels must be multiples of four.
 */
export function attend(place, count, queries, keys, held, target) {
  const places = queries.length / count, scale = 1 / Math.sqrt(count);
  const weights = new Float64Array(places), sum = new Float64Array(count);
  const { values, width, line, plane } = place;
  for (let i = 0; i < places; i++) {
    let total = 0;
    sum.fill(0);
    scores(queries.subarray(i * count, (i + 1) * count), keys, scale, weights);
    for (let j = 0; j < places; j += 4) { // four at a time, so that sums are fetched less often
      const w0 = weights[j], w1 = weights[j + 1], w2 = weights[j + 2], w3 = weights[j + 3];
      const p = j * count, q = p + count, r = q + count, s = r + count;
      total += w0 + w1 + w2 + w3;
      for (let c = 0; c < count; c++) {
        sum[c] += w0 * held[p + c] + w1 * held[q + c] + w2 * held[r + c] + w3 * held[s + c];
      }
    }
    const at = target + (Math.floor(i / width) + 1) * line + 1 + (i % width);
    for (let c = 0; c < count; c++) values[at + c * plane] = sum[c] / total;
  }
}

/** exp(scale * query times each of the keys), over the largest, so that none is too large. */
function scores(query, keys, scale, weights) {
  let most = -Infinity;
  for (let j = 0; j < weights.length; j++) {
    const at = j * query.length;
    let p = 0, q = 0, r = 0, s = 0; // four sums, none of which waits for another
    for (let c = 0; c < query.length; c += 4) {
      p += query[c] * keys[at + c];
      q += query[c + 1] * keys[at + c + 1];
      r += query[c + 2] * keys[at + c + 2];
      s += query[c + 3] * keys[at + c + 3];
    }
    weights[j] = (p + q + r + s) * scale;
    if (weights[j] > most) most = weights[j];
  }
  for (let j = 0; j < weights.length; j++) weights[j] = Math.exp(weights[j] - most);
}
