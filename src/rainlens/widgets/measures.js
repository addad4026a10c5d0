// The measures of `rainlens.metrics` for one picture.
//
// Pictures are Float32Arrays (3, H, W) in [0, 1]; sums are in double precision, as in Python.

const THRESHOLD = 10 / 255 + 1e-6; // rain of exactly ten grey levels is out, however it is rounded
export const WHITE = 255;
const LEAST_SPREAD = 1e-3 / 255;

/** M: where it rains visibly in any channel, one byte a pixel. */
function rainMask(rainy, clean) {
  const pixels = clean.length / 3;
  return Uint8Array.from({ length: pixels }, (_, p) => {
    const rains = (channel) => rainy[p + channel] - clean[p + channel] > THRESHOLD;
    return Number(rains(0) || rains(pixels) || rains(2 * pixels));
  });
}

/**
 * {eR, eB, gain, contrast, response}: errors in grey levels, slopes as fractions; NaN where a
 * region is empty. `outputClean` is what the method makes of the picture without rain.
 */
export function score(output, outputClean, rainy, clean) {
  const mask = rainMask(rainy, clean);
  const pixels = mask.length;
  const inside = 3 * mask.reduce((sum, one) => sum + one, 0);
  let change2 = 0, damage2 = 0, rain1 = 0, rain2 = 0, change1 = 0, both = 0, left = 0;
  for (let i = 0; i < clean.length; i++) {
    if (!mask[i % pixels]) {
      damage2 += (output[i] - clean[i]) ** 2;
      continue;
    }
    const rain = rainy[i] - clean[i], change = rainy[i] - output[i];
    change2 += change ** 2;
    change1 += change;
    rain1 += rain;
    rain2 += rain ** 2;
    both += change * rain;
    left += (output[i] - outputClean[i]) * rain;
  }
  const outside = clean.length - inside;
  const variance = rain2 / inside - (rain1 / inside) ** 2;
  const covariance = both / inside - (change1 / inside) * (rain1 / inside);
  return {
    eR: WHITE * Math.sqrt(change2 / inside),
    eB: WHITE * Math.sqrt(damage2 / outside),
    gain: both / rain2,
    contrast: variance > LEAST_SPREAD ** 2 ? covariance / variance : NaN,
    response: left / rain2,
  };
}

/** The root mean square of the difference of two pictures, in grey levels; metrics.damage. */
export function rms(output, clean) {
  const squares = output.reduce((sum, value, i) => sum + (value - clean[i]) ** 2, 0);
  return WHITE * Math.sqrt(squares / clean.length);
}
