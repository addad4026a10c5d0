// The papers' training rain, as `rainlens.rain` makes it: the same five steps, and the same layer
// for the same noise. One pixel in a hundred is a drop, so each is drawn alone, without spectra.

import { uniforms } from "./uniforms.js";

export const MARGIN = 64; // the canvas is larger than the layer by more than the longest kernel
const LEVELS = 256; // the recipe counts grey levels in [0, 256)
const CENTRE = 8, NEIGHBOUR = 0.1; // of the 3x3 blur that softens the noise

/** The side of the canvas for a layer of this side: even, with no prime factor above 5. */
export function canvasSide(side) {
  const isSmooth = (n) => n === 1 || [2, 3, 5].some((p) => n % p === 0 && isSmooth(n / p));
  let found = side + MARGIN;
  while (found % 2 || !isSmooth(found)) found++;
  return found;
}

/**
 * Step 1: uniform noise in [0, 256) on a square canvas, kept where it exceeds
 * 256 - quantity / 100. More quantity adds drops to those of the same seed.
 */
export function sparseNoise(quantity, side, seed) {
  const draw = uniforms(seed);
  const noise = new Float32Array(side * side);
  for (let i = 0; i < noise.length; i++) {
    const value = LEVELS * draw();
    if (value > LEVELS - quantity / 100) noise[i] = value;
  }
  return noise;
}

/** Step 3: the motion-blur kernel, Float64Array of length x length. */
export function motionKernel({ length, width, direction }) {
  const angle = ((direction - 45) * Math.PI) / 180;
  const scale = 1 - length / 100, centre = length / 2;
  const cos = Math.cos(angle) / scale, sin = Math.sin(angle) / scale;
  const line = new Float64Array(length * length);
  for (let row = 0; row < length; row++) {
    for (let column = 0; column < length; column++) {
      const x = column - centre, y = row - centre;
      const value = diagonal(cos * x - sin * y + centre, sin * x + cos * y + centre, length);
      line[row * length + column] = value;
    }
  }
  return blurred(blurred(line, length, width), length, width);
}

/** The identity matrix of side `length`, read between its entries (bilinear). */
function diagonal(u, v, length) {
  let value = 0;
  for (const entry of [Math.floor(u), Math.floor(u) + 1]) {
    const near = (1 - Math.abs(u - entry)) * Math.max(0, 1 - Math.abs(v - entry));
    if (entry >= 0 && entry < length) value += near;
  }
  return value;
}

/** Each column blurred by a Gaussian of `width` pixels, borders mirrored; the result transposed. */
function blurred(square, length, width) {
  const half = (width - 1) / 2;
  const sigma = 0.3 * (half - 1) + 0.8;
  const weightAt = (offset) => Math.exp(-(offset ** 2) / (2 * sigma ** 2));
  const bell = Array.from({ length: width }, (_, i) => weightAt(i - half));
  const total = bell.reduce((sum, weight) => sum + weight, 0);
  const mirror = (row) => length - 1 - Math.abs(length - 1 - Math.abs(row));
  const result = new Float64Array(length * length);
  for (let row = 0; row < length; row++) {
    bell.forEach((weight, i) => {
      const from = mirror(row + i - half) * length;
      for (let column = 0; column < length; column++) {
        result[column * length + row] += (weight / total) * square[from + column];
      }
    });
  }
  return result;
}

/** Step 2, done to the kernel: filtering softened noise is filtering noise with this. */
function softened(kernel, length) {
  const side = length + 2;
  const result = new Float64Array(side * side);
  const parts = [[1, 1, CENTRE], [0, 1, NEIGHBOUR], [2, 1, NEIGHBOUR], [1, 0, NEIGHBOUR],
    [1, 2, NEIGHBOUR]];
  for (const [down, right, weight] of parts) {
    for (let row = 0; row < length; row++) {
      for (let column = 0; column < length; column++) {
        const to = (row + down) * side + column + right;
        result[to] += weight * kernel[row * length + column];
      }
    }
  }
  return result;
}

/** Steps 2, 4 and 5: noise on a square canvas, filtered round its edges, stretched to [0, 1]. */
export function smear(noise, side, kernel) {
  const length = Math.sqrt(kernel.length), reach = length + 2;
  const streak = softened(kernel, length);
  const used = Array.from(streak.keys()).filter((i) => streak[i] !== 0);
  const layer = new Float64Array(side * side);
  const wrap = (place) => ((place % side) + side) % side;
  const columns = Array.from({ length: side + reach + 1 }, (_, i) => wrap(i - reach));
  const rows = columns.map((place) => place * side);
  noise.forEach((value, place) => {
    if (value === 0) return;
    // A kernel's entry (i, j) brings a drop to where it lies i - 1 below and j - 1 to the right.
    const top = Math.floor(place / side) + 1 + reach, left = (place % side) + 1 + reach;
    for (const i of used) {
      layer[rows[top - Math.floor(i / reach)] + columns[left - (i % reach)]] += streak[i] * value;
    }
  });
  const low = layer.reduce((least, value) => Math.min(least, value), Infinity);
  const high = layer.reduce((most, value) => Math.max(most, value), -Infinity);
  const spread = Math.max(high - low, 1e-6);
  return Float32Array.from(layer, (value) => (value - low) / spread);
}

/** The upper left `size` x `size` pixels of a square canvas. */
export function cropped(canvas, side, size) {
  const crop = new Float32Array(size * size);
  for (let row = 0; row < size; row++) {
    crop.set(canvas.subarray(row * side, row * side + size), row * size);
  }
  return crop;
}

/** A rain layer R, (size, size) in [0, 1], for {quantity, width, length, direction}. */
export function rainLayer(rain, size, noise) {
  const side = canvasSide(size);
  return cropped(smear(noise, side, motionKernel(rain)), side, size);
}

/** I = B + weight * tint * R, clipped: clean (3, H, W) and R (H, W) give (3, H, W). */
export function addRain(clean, layer, weight, tint) {
  return clean.map((value, i) => {
    const rain = weight * tint[Math.floor(i / layer.length)] * layer[i % layer.length];
    return Math.min(1, Math.max(0, value + rain));
  });
}
