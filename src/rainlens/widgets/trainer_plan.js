// How the networks that a reader trains are made and trained. Found by trying: enough steps that
// the chapter's effect shows, and few enough to wait for.

export const PLAN = {
  steps: 6000, batch: 8, rate: 0.01, decay: 0.1, warmup: 50,
  measureEvery: 50, // steps between two points of the curves
};
/** Channels -> how many weights such a network has. */
export const WIDTHS = { 8: 1602, 16: 5890 };

/** The rate of a step, counted from 0: it rises for a while and falls to zero, as in Python. */
export function rateAt(step, { steps, rate, warmup }) {
  const falling = 0.5 * rate * (1 + Math.cos((Math.PI * step) / steps));
  return step < warmup ? (falling * (step + 1)) / warmup : falling;
}
