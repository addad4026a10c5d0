// Convolutions of kernel 7 along a line, for the toy networks that run and learn in a page.

export const KERNEL = 7;
export const REACH = 3;

/** Reorders a layer's weights to (pair of outputs, input, tap, output of the pair). */
export function packLayer({ shape: [outputs, inputs, kernel], values }, bias) {
  if (kernel !== KERNEL) throw new Error(`its kernel has ${kernel} taps, not ${KERNEL}`);
  const pairs = Math.ceil(outputs / 2);
  const weights = new Float32Array(pairs * 2 * inputs * KERNEL);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let k = 0; k < KERNEL; k++) {
        const to = (((o >> 1) * inputs + i) * KERNEL + k) * 2 + (o & 1);
        weights[to] = values[(o * inputs + i) * KERNEL + k];
      }
    }
  }
  const biases = new Float32Array(pairs * 2);
  biases.set(bias.values);
  return { inputs, outputs, pairs, weights, biases };
}

/** One layer. Two outputs share each value read, the seven taps stay in registers, and the
 * inner loop runs along the signal: this order is the fastest of those measured. */
export function convolve({ inputs, pairs, weights, biases }, source, target, points, slope) {
  const stride = points + 2 * REACH;
  let w = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const a = 2 * pair * stride + REACH;
    const b = a + stride;
    target.fill(biases[2 * pair], a, a + points);
    target.fill(biases[2 * pair + 1], b, b + points);
    for (let input = 0; input < inputs; input++, w += 2 * KERNEL) {
      const a0 = weights[w], a1 = weights[w + 2], a2 = weights[w + 4], a3 = weights[w + 6];
      const a4 = weights[w + 8], a5 = weights[w + 10], a6 = weights[w + 12];
      const b0 = weights[w + 1], b1 = weights[w + 3], b2 = weights[w + 5], b3 = weights[w + 7];
      const b4 = weights[w + 9], b5 = weights[w + 11], b6 = weights[w + 13];
      const s = input * stride;
      let x0 = source[s], x1 = source[s + 1], x2 = source[s + 2];
      let x3 = source[s + 3], x4 = source[s + 4], x5 = source[s + 5];
      for (let t = 0; t < points; t++) {
        const x6 = source[s + 6 + t];
        target[a + t] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3 + a4 * x4 + a5 * x5 + a6 * x6;
        target[b + t] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3 + b4 * x4 + b5 * x5 + b6 * x6;
        x0 = x1; x1 = x2; x2 = x3; x3 = x4; x4 = x5; x5 = x6;
      }
    }
  }
  if (slope === 1) return;
  const end = 2 * pairs * stride;
  for (let i = 0; i < end; i++) if (target[i] < 0) target[i] *= slope;
}
